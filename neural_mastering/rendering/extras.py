"""What is written beside the master: sentences, JSON, controls, presets for other software, the report page."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_mastering.errors import InputError
from neural_mastering.rendering.controls import ChainControls, save_controls

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from neural_mastering.rendering.delivery import Wanted
    from neural_mastering.rendering.mastering import MasterResult, Song
    from neural_mastering.rendering.meter import Readings
    from neural_mastering.rendering.options import Options
    from neural_mastering.rendering.stage_meter import StageRecord


def describe(result: MasterResult, wanted: Wanted) -> None:
    """Say what was done, with numbers, and what could not be done."""
    delivered, target = result.delivered, result.target
    did, warnings = result.did, result.warnings
    if result.tone is not None:
        did += [result.tone.origin, *result.tone.sentences]
    if result.words is not None:
        did += result.words.sentences
    if any(record.settings for record in result.stages):
        from neural_mastering.rendering.stage_words import stage_sentences

        did += stage_sentences(result.stages, with_reduction=True)
    if not math.isfinite(result.result.lufs):
        did.append("no loudness could be measured: the level was left alone")
    else:
        named = target.lufs is not None and not target.name.endswith("LUFS")
        asked = f"{target.name} ({target.lufs:.1f} LUFS)" if named else target.name
        did.append(
            f"gain of {delivered.gain_db:+.2f} dB: {result.input.lufs:.1f} LUFS in, "
            f"{result.result.lufs:.1f} LUFS out, asked for: {asked}"
        )
    if delivered.reduction_db.size and delivered.reduction_db.max() > 0.0:
        did.append(f"the limiter took off {delivered.reduction_db.max():.1f} dB at the most")
    if target.ceiling_db is not None and math.isfinite(result.result.true_peak_db):
        did.append(f"true peak {result.result.true_peak_db:.2f} dBTP, ceiling {target.ceiling_db:g} dBTP")
    if delivered.held_back and wanted.lufs is None:
        warnings.append(
            f"turned down by {-delivered.gain_db:.1f} dB so that the peaks stay below the ceiling"
        )
    elif delivered.held_back == "reduction":
        warnings.append(
            f"stopped at {result.result.lufs:.1f} LUFS: {wanted.lufs:.1f} LUFS would take more than "
            f"{wanted.max_reduction_db:g} dB off the peaks (--max-reduction allows more)"
        )
    elif delivered.held_back == "peaks":
        warnings.append(
            f"stopped at {result.result.lufs:.1f} LUFS instead of {wanted.lufs:.1f}: the peaks are at the ceiling"
        )
    if delivered.clipped_samples:
        warnings.append(
            f"{delivered.clipped_samples} samples went over full scale and were clipped: keep a ceiling, or write "
            "--bits 32f"
        )


def write_extras(result: MasterResult, song: Song, options: Options) -> None:
    """Write the files that were asked for beside the master.

    Raises:
        InputError: one of them can't be written.
    """
    if options.export:
        _export(result, options)
    if options.json is not None:
        _write_text(options.json, json.dumps(as_json(result), indent=2, ensure_ascii=False) + "\n")
    if options.save_controls is not None:
        options.save_controls.parent.mkdir(parents=True, exist_ok=True)
        tone = result.tone
        origin = (
            "\n".join([tone.origin, *tone.sentences]) if tone is not None and tone.trust is not None else ""
        )
        save_controls(result.controls, options.save_controls, origin)
    if options.report is not None:
        from neural_mastering.rendering.report_page import write_report

        write_report(result, song, options.report)


def export_paths(output: Path, formats: Sequence[str]) -> list[Path]:
    """Where presets for other software go: beside the master.

    Raises:
        InputError: an unknown format.
    """
    from neural_mastering.rendering.export import FORMATS

    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise InputError(f"--export {unknown[0]}: expected {', '.join(FORMATS)}")
    return [output.with_name(output.stem + FORMATS[name][0]) for name in formats]


def _export(result: MasterResult, options: Options) -> None:
    from neural_mastering.rendering.export import export_controls

    stem = result.output.with_name(result.output.stem)
    for written in export_controls(result.controls, options.export, stem, result.input.sample_rate):
        rest = f"; left out: {', '.join(written.left_out)}" if written.left_out else ""
        result.did.append(
            f"exported {written.path.name} for {result.input.sample_rate} Hz, its equaliser within "
            f"{written.max_deviation_db:.2g} dB of ours{rest}"
        )


def as_json(result: MasterResult) -> dict[str, Any]:
    """The numbers of a master; null where there is none (silence)."""
    delivered, target = result.delivered, result.target
    numbers = {
        "version": _version(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {"input": str(result.source), "output": str(result.output)},
        "target": {
            "name": target.name,
            "lufs": target.lufs,
            "ceiling_db": target.ceiling_db,
            "source": target.source,
            "checked": target.checked,
            "reached": not delivered.held_back,
        },
        "input": result.input.summary() | {"sample_rate_hz": result.input.sample_rate},
        "output": result.result.summary()
        | {
            "sample_rate_hz": result.result.sample_rate,
            "format": result.form.container,
            "bits": result.form.bits,
        },
        "gain_db": delivered.gain_db,
        "limiter": {
            "max_reduction_db": float(delivered.reduction_db.max()) if delivered.reduction_db.size else 0.0,
            "passes": delivered.passes,
        },
        "stages": [_stage(record, result.input) for record in result.stages],
        "model": _model(result),
        "controls": controls_as_dict(result.controls),
        "words": None if result.words is None else result.words.as_dict(),
        "did": result.did,
        "warnings": result.warnings,
        "seconds": {step: round(value, 3) for step, value in result.seconds.items()},
    }
    return _finite(numbers)


def _model(result: MasterResult) -> dict[str, Any] | None:
    """The model that listened, with its confidence where it was calibrated."""
    tone = result.tone
    if tone is None or tone.name is None:
        return None
    return {"name": tone.name} | ({} if tone.trust is None else dataclasses.asdict(tone.trust))


def _stage(record: StageRecord, readings: Readings) -> dict[str, Any]:
    """What a stage took and did: speed, and for those of the grey-box chain their course over time."""
    duration_s = readings.frames / readings.sample_rate
    numbers: dict[str, Any] = {
        "name": record.name,
        "seconds": round(record.seconds, 4),
        "real_time_factor": round(record.seconds / duration_s, 6) if duration_s > 0.0 else None,
    }
    if not record.settings:
        return numbers
    from neural_mastering.rendering.stage_words import DYNAMICS

    numbers["time_s"] = record.time_s.tolist()
    numbers["change_db"] = _rounded(record.change_db)
    if record.name in DYNAMICS:
        reduction = record.reduction_db
        numbers |= {
            "max_reduction_db": float(reduction.max(initial=0.0)),
            "mean_reduction_db": float(reduction.mean()) if reduction.size else 0.0,
            "reduction_db": _rounded(reduction),
        }
    if record.name == "saturation":
        numbers |= {
            "drive_db": record.settings["drive_db"],
            "added_mean_db": record.added_mean_db,
            "added_db": _rounded(record.added_db),
        }
    if record.name == "stereo":
        numbers["side_change_db"] = record.side_change_db
    return numbers


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 3) for value in values]


def controls_as_dict(controls: ChainControls) -> dict[str, Any]:
    """Controls as plain dictionaries, lists and numbers."""
    plain = dataclasses.replace(controls, stages=dict(controls.stages), words=dict(controls.words))
    return dataclasses.asdict(plain)


def _finite(value: Any) -> Any:
    """Infinities and NaN as None, since JSON has neither."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _write_text(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name[:80]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise InputError(f"{path} can't be written ({error.strerror})") from error


def _version() -> str:
    from neural_mastering import __version__

    return __version__
