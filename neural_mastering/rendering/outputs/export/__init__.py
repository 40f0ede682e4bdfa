"""Controls for other software: an equaliser preset or plug-in with the same curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.atomic import write_text
from neural_mastering.controls import ChainControls
from neural_mastering.errors import InputError
from neural_mastering.rendering.outputs.export import camilladsp, controls_json, equalizer_apo, jsfx
from neural_mastering.rendering.outputs.export.preset import Preset

FORMATS: dict[str, tuple[str, Callable[[ChainControls, float], Preset]]] = {
    "eqapo": (".eqapo.txt", equalizer_apo.write),
    "camilladsp": (".camilladsp.yml", camilladsp.write),
    "jsfx": (".jsfx", jsfx.write),
    "json": (".eq.json", controls_json.write),
}
"""Format → the end of the file's name, and what writes its text."""


@dataclass(frozen=True)
class ExportResult:
    """A file that was written.

    Attributes:
        path: of the file.
        format: one of `FORMATS`.
        max_deviation_db: largest deviation of the file's equalisers from our curves, 10 Hz to 16 kHz.
        left_out: stages of the chain that the format can't hold.
    """

    path: Path
    format: str
    max_deviation_db: float
    left_out: tuple[str, ...]


def export_paths(output: Path, formats: Sequence[str], name: str | None = None) -> list[Path]:
    """Where presets for other software go: beside the master, under its name or the given one.

    Raises:
        InputError: an unknown format.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise InputError(f"--export {unknown[0]}: expected {', '.join(FORMATS)}")
    return [output.with_name((name or output.stem) + FORMATS[form][0]) for form in dict.fromkeys(formats)]


def export_controls(
    controls: ChainControls, formats: Sequence[str], path_stem: str | Path, sample_rate: float
) -> list[ExportResult]:
    """Write controls for other software, one file a format, named `path_stem` with the format's ending.

    Nothing is written unless all formats can be.

    Args:
        controls: of the song, strengths applied.
        formats: of `FORMATS`.
        path_stem: folder and name without an ending.
        sample_rate: at which the other software will run, in Hz. Where it is not the design rate, frequencies,
            gains and Qs are fitted so that the other software's biquads have the curve of the design rate.

    Raises:
        InputError: an unknown format, more bands than a format holds, or a place that can't be written.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise InputError(f"unknown export format '{unknown[0]}': expected {', '.join(FORMATS)}")
    stem = Path(path_stem)
    presets = []
    for name in dict.fromkeys(formats):
        ending, write = FORMATS[name]
        presets.append((name, stem.with_name(stem.name + ending), write(controls, sample_rate)))
    for _, path, preset in presets:
        write_text(path, preset.text)
    return [ExportResult(path, name, p.max_deviation_db, p.left_out) for name, path, p in presets]
