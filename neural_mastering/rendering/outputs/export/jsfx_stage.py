"""A stage's template filled with a song's values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from neural_mastering.controls.catalogue import Value, Values
from neural_mastering.dsp.reference_level import REFERENCE_DBFS
from neural_mastering.rendering.outputs.export.jsfx_template import Slider, Template
from neural_mastering.rendering.outputs.export.preset import NAMES, HeldStage, fixed
from neural_mastering.rendering.outputs.export.stage_bands import StageBands, held_stage, stage_bands

MOST_SLIDERS = 64

_Row = dict[str, str]
"""Name → text of what stands in braces."""


@dataclass(frozen=True)
class StageCode:
    """Parts of a plug-in.

    Attributes:
        held: what the head of the file says of the stage.
        sliders: lines with the stage's sliders.
        functions: for @init; equal ones of two stages are written once.
        start, on_slider, on_sample: statements of @init, @slider and @sample.
        latency_samples: by how much the output is late.
    """

    held: HeldStage
    sliders: tuple[str, ...]
    functions: tuple[str, ...]
    start: tuple[str, ...]
    on_slider: tuple[str, ...]
    on_sample: tuple[str, ...]
    latency_samples: int


def fill(name: str, template: Template, values: Values, sample_rate: float, first_slider: int) -> StageCode:
    """A stage's code for a song.

    Sliders are given out a group at a time (the stage's own, then those of each band) as long as there is room;
    controls without a slider keep their numbers.

    Args:
        name: of the stage.
        template: of the stage, which must understand the values.
        values: controls and settings.
        sample_rate: of the export in Hz.
        first_slider: number of the first free slider.

    Raises:
        InputError: bands that can't be used.
    """
    common = {"REFERENCE_DBFS": _number(REFERENCE_DBFS), "SAMPLE_RATE": _number(sample_rate)}
    for key, default in template.settings.items():
        common[key] = _number(values[key]) if key in values else (default or "").format_map(common)
    found = {
        group: stage_bands(values, keys, float(common["design_rate_hz"]), sample_rate)
        for group, keys in template.bands.items()
    }
    rows = {"": [{key: _number(values[key]) for key in template.keys("")}]}
    rows |= {group: list(_band_rows(template, group, values, of)) for group, of in found.items()}
    functions = _text(template, "functions", common, rows)
    lines = []
    for each, sliders in template.sliders:
        for row in rows[each]:
            if first_slider + len(sliders) - 1 <= MOST_SLIDERS:
                lines += _sliders(sliders, row, first_slider)
                first_slider += len(sliders)
    start, on_slider, on_sample = (
        tuple(line for part in _text(template, section, common, rows) for line in part.split("\n"))
        for section in ("start", "slider", "sample")
    )
    held = held_stage(name, list(found.values()))
    return StageCode(held, tuple(lines), functions, start, on_slider, on_sample, template.latency_samples)


def _band_rows(template: Template, group: str, values: Values, found: StageBands) -> Iterator[_Row]:
    """What the lines of a group say for each of its bands."""
    keys = template.bands[group]
    for number, (place, band) in enumerate(zip(found.kept, found.bands, strict=True), 1):
        own = {key: _number(_item(values[key], place)) for key in template.keys(group)}
        fitted = {keys.frequency_hz: band.frequency_hz, keys.gain_db: band.gain_db, keys.q: band.q}
        words = {"number": str(number), "kind": band.kind, "kind_name": NAMES[band.kind]}
        yield own | {key: _number(value) for key, value in fitted.items()} | words


def _sliders(sliders: tuple[Slider, ...], row: _Row, first: int) -> Iterator[str]:
    """Lines of sliders, which take the places of their numbers in the row."""
    for number, slider in enumerate(sliders, first):
        value = row[slider.key]
        title = slider.title.format_map(row)
        yield f"slider{number}:{value}{widened(slider.limits, float(value))}{title}"
        row[slider.key] = f"slider{number}"


def _text(
    template: Template, section: str, common: Mapping[str, str], rows: Mapping[str, list[_Row]]
) -> tuple[str, ...]:
    """The filled parts of a section, one text for each part and band."""
    return tuple(
        "\n".join(line.format_map({**common, **rows[""][0], **row}) for line in part.lines)
        for part in template.parts
        if part.section == section
        for row in rows[part.each]
    )


def widened(limits: str, value: float) -> str:
    """A slider's range, `<low,high,step>`, wide enough for its value."""
    low, high, step = limits[1:-1].split(",")
    low = low if float(low) <= value else _number(value)
    high = high if float(high) >= value else _number(value)
    return f"<{low},{high},{step}>"


def _item(value: Value, place: int) -> float:
    return value[place] if isinstance(value, tuple) else value


def _number(value: Value) -> str:
    assert not isinstance(value, tuple), "the template understands the values"
    return fixed(value, 6)
