"""What the stages of a song's chain did, in sentences with numbers, from the catalogue's titles and units."""

from __future__ import annotations

import math
from collections.abc import Sequence

from neural_mastering.controls import ControlText, stage_spec
from neural_mastering.controls.catalogue import StageSpec, Value
from neural_mastering.rendering.stages.record import SILENT_DB, StageRecord
from neural_mastering.reporting.markup import duration, frequency, number
from neural_mastering.reporting.master_data import Reduction
from neural_mastering.reporting.sentences import reduction_sentence


def stage_sentences(records: Sequence[StageRecord]) -> list[str]:
    """How each stage of the chain was set and what it did.

    Args:
        records: of the stages that ran; those without settings (eq, gain, residual) are described elsewhere.
    """
    found = []
    for record in records:
        if not record.settings:
            continue
        spec = stage_spec(record.name)
        found.append(f"the {spec.title}: {_settings(spec, record)}{_effect(spec, record)}")
        if spec.effect == "reduction":
            course = Reduction(spec.title, record.time_s, record.reduction_db)
            found.append(reduction_sentence(course).rstrip("."))
    return found


def _settings(spec: StageSpec, record: StageRecord) -> str:
    shown = ((text, record.settings[key]) for key, text in spec.controls.items() if key in record.settings)
    return ", ".join(_control(text, value) for text, value in shown if value != text.quiet_at)


def _control(text: ControlText, value: Value) -> str:
    each = value if isinstance(value, tuple) else (value,)
    if text.unit == "%":
        numbers = " / ".join(f"{100.0 * v:.0f}" for v in each) + " %"
    elif text.unit == "Hz":
        numbers = " and ".join(frequency(v) for v in each)
    else:
        numbers = " / ".join(number(v, text.digits, signed=text.signed) for v in each)
        numbers += f" {text.unit}" if text.unit else ""
    note = "" if not text.note else f" {text.note}" if text.unit else f" ({text.note})"
    return f"{text.title} {numbers}{note}"


def _effect(spec: StageSpec, record: StageRecord) -> str:
    """What the stage's meter says, for stages that aren't dynamics."""
    if spec.effect == "added" and record.added_db.size and record.added_mean_db > SILENT_DB:
        loudest = int(record.added_db.argmax())
        return (
            f"; what it adds lies {number(-record.added_mean_db)} dB below the music on average, "
            f"{number(-float(record.added_db[loudest]))} dB at the most (at "
            f"{duration(float(record.time_s[loudest]))})"
        )
    if spec.effect == "side" and math.isfinite(record.side_change_db):
        return f"; the side's level changed by {number(record.side_change_db, 1, signed=True)} dB"
    if spec.effect == "level" and record.change_db.size:
        most = int(abs(record.change_db).argmax())
        return (
            f"; it changed the level by {number(float(record.change_db[most]), 1, signed=True)} dB at the most "
            f"(at {duration(float(record.time_s[most]))})"
        )
    return ""
