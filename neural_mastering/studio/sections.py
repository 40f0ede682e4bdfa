"""The live part of a chain as second-order sections, which a browser's audio thread runs.

Equaliser, gain, mid-side equaliser and stereo width are linear and have no latency; the browser gets the very
coefficients that the renderer uses. What is not linear (compressor, saturation, limiter) and the neural residual
are named in `not_live`: the server renders them for the region that is heard (`studio.preview`).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np

from neural_mastering.controls import Bands, ChainControls, stage_spec
from neural_mastering.controls.catalogue import Value, Values
from neural_mastering.dsp.rbj import Float64s, Kind
from neural_mastering.errors import InputError
from neural_mastering.studio.side_bands import side_bands_deviation_db, side_bands_sections
from neural_mastering.units import db_to_gain

Section = list[float]
"""b0, b1, b2, a1, a2 with a0 = 1."""

_IDENTITY: Section = [1.0, 0.0, 0.0, 0.0, 0.0]


class LiveStage(TypedDict):
    """One stage for the audio thread.

    `lr` runs `sos` on left and right; `gain` multiplies by `gain`; `ms` runs `mid` and `side`, of which an empty
    list changes nothing; `width` runs `side` alone, so that the mono sum stays.
    """

    name: str
    kind: Literal["lr", "gain", "ms", "width"]
    gain: NotRequired[float]
    sos: NotRequired[list[Section]]
    mid: NotRequired[list[Section]]
    side: NotRequired[list[Section]]


class LiveChain(TypedDict):
    """All stages in the order of the chain, and what a browser leaves to the server."""

    sample_rate: int
    stages: list[LiveStage]
    not_live: list[str]
    fitted: dict[str, float]


def sections_of(controls: ChainControls, sample_rate: int) -> LiveChain:
    """The live chain of a song's controls at a sample rate.

    Each band of the equaliser keeps its place in the list, at 0 dB too, so that coefficients can be ramped from one
    answer to the next.

    Args:
        controls: of the song, strengths applied.
        sample_rate: of the song in Hz.

    Returns:
        `fitted` has the largest deviation in dB of stages whose renderer isn't made of sections (stereo width in
        several bands); their phase differs, too. `not_live` names the stages that the server renders.

    Raises:
        InputError: controls that a stage can't be built from, or a stage that doesn't exist.
    """
    stages: list[LiveStage] = []
    not_live: list[str] = []
    fitted: dict[str, float] = {}
    eq = _in_their_places(controls.eq, controls.design_rate_hz, sample_rate, "the equaliser")
    stages.append({"name": "eq", "kind": "lr", "sos": eq})
    stages.append({"name": "gain", "kind": "gain", "gain": db_to_gain(controls.gain_db)})
    after = [name for name in controls.stages if stage_spec(name).is_after_residual]
    for name in (*(name for name in controls.stages if name not in after), *after):
        values = controls.stages[name]
        make = _LIVE.get(name)
        if make is not None:
            stages.append(make(name, values, sample_rate, fitted))
        elif not stage_spec(name).is_idle(values):
            not_live.append(name)
    if controls.residual is not None and controls.residual_amount != 0.0:
        not_live.append("residual")
    return {"sample_rate": sample_rate, "stages": stages, "not_live": not_live, "fitted": fitted}


def _mid_side_eq(name: str, values: Values, sample_rate: int, _: dict[str, float]) -> LiveStage:
    rate = _number(name, values, "design_rate_hz")
    parts = [
        _in_their_places(_bands_of(name, values, part), rate, sample_rate, f"the stage '{name}'")
        for part in ("mid", "side")
    ]
    return {"name": name, "kind": "ms", "mid": parts[0], "side": parts[1]}


def _stereo(name: str, values: Values, sample_rate: int, fitted: dict[str, float]) -> LiveStage:
    if "crossovers_hz" in values:
        widths, crossovers = (_list(name, values, key) for key in ("width", "crossovers_hz"))
        try:
            side = side_bands_sections(widths, crossovers, sample_rate)
        except ValueError as error:
            raise InputError(f"the stage '{name}' can't be built at {sample_rate} Hz: {error}") from error
        fitted[name] = side_bands_deviation_db(side, widths, crossovers, sample_rate)
        return {"name": name, "kind": "width", "side": _rows(side)}
    width, bass_hz, amount = (_number(name, values, k) for k in ("width", "bass_frequency_hz", "bass_amount"))
    if not 0.0 < bass_hz < sample_rate / 2.0:
        raise InputError(f"the stage '{name}': bass_frequency_hz: expected 20 to 300 Hz, got {bass_hz:g}")
    return {"name": name, "kind": "width", "side": [_bass_to_middle(width, bass_hz, amount, sample_rate)]}


_LIVE: dict[str, Callable[[str, Values, int, dict[str, float]], LiveStage]] = {
    "mid_side_eq": _mid_side_eq,
    "stereo": _stereo,
}


def _bass_to_middle(width: float, bass_hz: float, amount: float, sample_rate: int) -> Section:
    """width·((1 − amount) + amount·HP) as one section; see `dsp.stereo_width`.

    HP = s²/(s² + √2·s + 1) with s = (1 − z⁻¹)/(k·(1 + z⁻¹)), k = tan(π·f/rate).
    """
    k = math.tan(math.pi * bass_hz / sample_rate)
    a0 = 1.0 + math.sqrt(2.0) * k + k * k
    poles = np.array([1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - math.sqrt(2.0) * k + k * k) / a0])
    high = np.array([1.0, -2.0, 1.0]) / a0
    zeros = width * ((1.0 - amount) * poles + amount * high)
    return [*zeros.tolist(), *poles[1:].tolist()]


def _in_their_places(bands: Bands, design_rate_hz: float, sample_rate: int, where: str) -> list[Section]:
    """A section for each band, one that does nothing where it stands at 0 dB, and the corrections behind them."""
    try:
        rows = _rows(bands.sections(design_rate_hz, sample_rate))
    except ValueError as error:
        raise InputError(f"{where} can't be built at {sample_rate} Hz: {error}") from error
    found = iter(rows)
    placed = [next(found) if gain != 0.0 else _IDENTITY for gain in bands.gain_db]
    return [*placed, *found]


def _bands_of(name: str, values: Values, part: str) -> Bands:
    frequency, gain, q = (_list(name, values, f"{part}_{key}") for key in ("frequency_hz", "gain_db", "q"))
    if not len(frequency) == len(gain) == len(q) >= 2:
        raise InputError(f"the stage '{name}': expected as many frequencies as gains and Qs of the {part}")
    peaks: tuple[Kind, ...] = ("peak",) * (len(frequency) - 2)
    kinds: tuple[Kind, ...] = ("low_shelf", *peaks, "high_shelf")
    return Bands(kinds, np.array(frequency), np.array(gain), np.array(q))


def _rows(sections: Float64s) -> list[Section]:
    """(section, 6) as lists without a0, which is 1."""
    return [[*row[:3].tolist(), *row[4:].tolist()] for row in sections / sections[:, 3:4]]


def _value(name: str, values: Mapping[str, Value], key: str) -> Any:
    if key not in values:
        raise InputError(f"the stage '{name}' needs {key}")
    return values[key]


def _number(name: str, values: Mapping[str, Value], key: str) -> float:
    value = _value(name, values, key)
    if isinstance(value, (tuple, list)) or not math.isfinite(value):
        raise InputError(f"the stage '{name}': {key}: expected one number, got {value}")
    return float(value)


def _list(name: str, values: Mapping[str, Value], key: str) -> list[float]:
    value = _value(name, values, key)
    if not isinstance(value, (tuple, list)) or not all(math.isfinite(v) for v in value):
        raise InputError(f"the stage '{name}': {key}: expected a list of numbers, got {value}")
    return [float(v) for v in value]
