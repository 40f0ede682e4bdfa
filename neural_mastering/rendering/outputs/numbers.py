"""The numbers of a master as one JSON object: what `--json` writes, and `report.json` with curves beside it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neural_mastering
from neural_mastering.controls import stage_spec
from neural_mastering.metering.meter import Readings
from neural_mastering.rendering.outputs.tone import tone_json
from neural_mastering.rendering.result import MasterResult
from neural_mastering.rendering.stages.record import StageRecord

SCHEMA_VERSION = 2
"""Of the object: raised when a key changes its name or meaning. 2: `actions` and `warnings` are notes with a kind,
`delivery` holds the gain and the limiter; before, `did`, `gain_db` and `limiter` stood at the top."""


def as_json(result: MasterResult) -> dict[str, Any]:
    """The numbers of a master; null where there is none (silence)."""
    delivery, target, tone = result.delivery, result.target, result.tone
    numbers = {
        "schema_version": SCHEMA_VERSION,
        "version": neural_mastering.__version__,
        "date": result.date,
        "files": {
            "input": str(result.source),
            "output": str(result.output),
            "also": [str(p) for p in result.copies],
        },
        "target": {
            "name": target.name,
            "lufs": target.lufs,
            "aimed_lufs": target.lufs if result.spec.lufs is None else result.spec.lufs,
            "ceiling_db": target.ceiling_db,
            "source": target.source,
            "checked": target.checked,
            "reached": delivery.limited_by is None,
        },
        "input": result.input.summary() | {"sample_rate_hz": result.input.sample_rate},
        "inspection": None if result.inspection is None else result.inspection.as_dict(),
        "output": result.result.summary()
        | {
            "sample_rate_hz": result.result.sample_rate,
            "format": result.form.title,
            "bits": None if result.form.is_lossy else result.form.bits,
            "kbps": result.form.encoding.kbps,
        },
        "delivery": {
            "gain_db": delivery.gain_db,
            "max_reduction_db": delivery.max_reduction_db,
            "peak_control_db": delivery.peak_control_db,
            "needed_reduction_db": delivery.needed_reduction_db,
            "loss_lu": delivery.loss_lu,
            "needed_loss_lu": delivery.needed_loss_lu,
            "reachable": delivery.is_reachable,
            "limited_by": delivery.limited_by,
            "passes": delivery.passes,
            "ceiling_lowered_db": result.lowered_db,
        },
        "codecs": [codec.as_dict() for codec in result.codecs],
        "stages": [_stage(record, result.input) for record in result.stages],
        "model": _model(result),
        "tone": tone_json(tone),
        "controls": result.controls.as_dict(),
        "reference": None if result.reference is None else result.reference.as_dict(),
        "words": None if tone.words is None else tone.words.as_dict(),
        "actions": [vars(note) for note in result.actions],
        "warnings": [vars(note) for note in result.warnings],
        "seconds": {step: round(value, 3) for step, value in result.seconds.items()},
    }
    return finite(numbers)


def _model(result: MasterResult) -> dict[str, Any] | None:
    """The model that listened, with its confidence where it was calibrated."""
    listened = result.tone.model
    if listened is None:
        return None
    confidence = listened.confidence
    return {"name": listened.label} | ({} if confidence is None else dataclasses.asdict(confidence))


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
    numbers["time_s"] = record.time_s.tolist()
    numbers["change_db"] = _rounded(record.change_db)
    effect = stage_spec(record.name).effect
    if effect == "reduction":
        reduction = record.reduction_db
        numbers |= {
            "max_reduction_db": float(reduction.max(initial=0.0)),
            "mean_reduction_db": float(reduction.mean()) if reduction.size else 0.0,
            "reduction_db": _rounded(reduction),
        }
    elif effect == "added":
        numbers |= {"added_mean_db": record.added_mean_db, "added_db": _rounded(record.added_db)}
    elif effect == "side":
        numbers["side_change_db"] = record.side_change_db
    return numbers


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 3) for value in values]


def finite(value: Any) -> Any:
    """Infinities and NaN as None, since JSON has neither."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
