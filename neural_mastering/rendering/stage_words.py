"""What the stages of a song's chain did, in sentences with numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from neural_mastering.rendering.stage_meter import StageRecord
from neural_mastering.reporting.markup import duration, frequency, number
from neural_mastering.reporting.master_data import Reduction
from neural_mastering.reporting.sentences import reduction_sentence

SHOWN = {"chain_limiter": "limiter of the chain", "stereo": "stereo stage"}
"""Names of stages where a person reads them."""

DYNAMICS = ("compressor", "chain_limiter")
"""Stages whose gain reduction is on record."""

Value = float | tuple[float, ...]


def shown_name(name: str) -> str:
    """A stage's name for readers."""
    return SHOWN.get(name, name)


def stage_sentences(records: Sequence[StageRecord], with_reduction: bool) -> list[str]:
    """How each stage of the grey-box chain was set and what it did.

    Args:
        records: of the stages that ran.
        with_reduction: also say what dynamics took off (the report page says that from its curves).
    """
    found = []
    for record in records:
        words = _settings(record)
        if not words:
            continue
        found.append(f"the {shown_name(record.name)}: {words}")
        if with_reduction and record.name in DYNAMICS:
            found.append(
                reduction_sentence(
                    Reduction(shown_name(record.name), record.time_s, record.reduction_db)
                ).rstrip(".")
            )
    return found


def _settings(record: StageRecord) -> str:
    values = record.settings
    if record.name == "compressor":
        kind = "in bands split at " + _hz(values["crossovers_hz"]) + ", " if "crossovers_hz" in values else ""
        return (
            f"{kind}threshold {_numbers(values, 'threshold_db', 1, True)} dB from the song's loudness, ratio "
            f"{_numbers(values, 'ratio', 1)}, attack {_numbers(values, 'attack_ms', 1)} ms, release "
            f"{_numbers(values, 'release_ms', 0)} ms, knee {_numbers(values, 'knee_db', 1)} dB, make-up "
            f"{_numbers(values, 'makeup_db', 1, True)} dB, mix {_percent(values['mix'])}"
        )
    if record.name == "saturation":
        shape = f"shape {_numbers(values, 'shape', 2)} (0 soft, 1 hard), " if "shape" in values else ""
        bias = f"bias {_numbers(values, 'bias', 2, True)}, " if "bias" in values else ""
        said = f"drive {_numbers(values, 'drive_db', 1)} dB, {shape}{bias}mix {_percent(values['mix'])}"
        if not record.added_db.size or record.added_mean_db <= -120.0:
            return said
        loudest = int(record.added_db.argmax())
        return (
            f"{said}; what it adds lies {number(-record.added_mean_db)} dB below the music on average, "
            f"{number(-float(record.added_db[loudest]))} dB at the most (at "
            f"{duration(float(record.time_s[loudest]))})"
        )
    if record.name == "stereo":
        bands = f" in bands split at {_hz(values['crossovers_hz'])}" if "crossovers_hz" in values else ""
        said = f"width {_numbers(values, 'width', 2)}{bands}"
        if values.get("bass_amount", 0.0) != 0.0:
            bass = values["bass_frequency_hz"]
            said += f", side below {_hz(bass)} turned down by {_percent(values['bass_amount'])}"
        if math.isfinite(record.side_change_db):
            said += f"; the side's level changed by {number(record.side_change_db, 1, signed=True)} dB"
        return said
    if record.name == "chain_limiter":
        return (
            f"threshold {_numbers(values, 'threshold_db', 1, True)} dBTP raised to "
            f"{_numbers(values, 'ceiling_db', 1, True)} dBTP, release {_numbers(values, 'release_ms', 0)} ms, "
            f"amount {_percent(values['amount'])}"
        )
    return ""


def _numbers(values: Mapping[str, Value], key: str, digits: int, signed: bool = False) -> str:
    value = values[key]
    each = value if isinstance(value, tuple) else (value,)
    return " / ".join(number(v, digits, signed=signed) for v in each)


def _percent(value: Value) -> str:
    each = value if isinstance(value, tuple) else (value,)
    return " / ".join(f"{100.0 * v:.0f} %" for v in each)


def _hz(value: Value) -> str:
    each = value if isinstance(value, tuple) else (value,)
    return " and ".join(frequency(v) for v in each)
