"""The findings on one pair."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neural_mastering.data.audio_file import AudioFile
from neural_mastering.data.audit.levels import Levels
from neural_mastering.data.audit.problems import Problem, verdict
from neural_mastering.data.audit.relation import Relation


@dataclass(frozen=True)
class SideReport:
    """What a file's header says, and its levels; these are None where the file could not be decoded."""

    file: AudioFile
    format: str
    subtype: str
    bits: int | None
    levels: Levels | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values with units in their names."""
        readings: dict[str, Any] = {
            "file": self.file.path.name,
            "sample_rate_hz": self.file.sample_rate,
            "channels": self.file.channels,
            "frames": self.file.frames,
            "duration_s": self.file.duration_s,
            "format": self.format,
            "subtype": self.subtype,
            "bit_depth": self.bits,
        }
        if self.levels is not None:
            readings |= dataclasses.asdict(self.levels) | {"dc": self.levels.dc}
        return readings


@dataclass(frozen=True)
class PairReport:
    """Everything known of a pair.

    Attributes:
        name: of the song.
        group, split: as the manifest says; the group is the name where it says nothing.
        before, after: the unmastered and the mastered side; None where there is none, or none that opens.
        relation: how they lie to each other; None where this could not be measured.
        problems: findings.
        prints: fingerprints of the unmastered and, where the sides are unrelated, of the mastered side.
    """

    name: str
    group: str
    split: str = ""
    before: SideReport | None = None
    after: SideReport | None = None
    relation: Relation | None = None
    problems: tuple[Problem, ...] = ()
    prints: tuple[np.ndarray, ...] = field(default=(), repr=False, compare=False)

    @property
    def verdict(self) -> str:
        """`ok`, `fixable: …` or `broken: …`."""
        return verdict(list(self.problems))

    @property
    def state(self) -> str:
        """`ok`, `fixable` or `broken`."""
        return self.verdict.partition(":")[0]

    def has(self, kind: str) -> bool:
        """Whether there is a problem of a kind."""
        return any(problem.kind == kind for problem in self.problems)

    def with_problem(self, problem: Problem) -> "PairReport":
        """A copy with one finding more."""
        return dataclasses.replace(self, problems=(*self.problems, problem))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what was not measured, or is not finite, is None."""
        relation = self.relation
        plain: dict[str, Any] = {
            "name": self.name,
            "group": self.group,
            "split": self.split or None,
            "verdict": self.verdict,
            "delay_samples": relation.delay_samples if relation else None,
            "delay_ms": _delay_ms(relation, self.after),
            "delay_middle_samples": relation.middle_samples if relation else None,
            "delay_end_samples": relation.end_samples if relation else None,
            "drift_ppm": relation.drift_ppm if relation else None,
            "drift_error_ppm": relation.drift_error_ppm if relation else None,
            "polarity": relation.assignment.polarity if relation else None,
            "inverted_channel": (relation.assignment.one_inverted or None) if relation else None,
            "channels_swapped": relation.assignment.swapped if relation else None,
            "channels_certain": relation.assignment.certain if relation else None,
            "confidence": relation.confidence if relation else None,
            "coherence": relation.coherence if relation else None,
            "agreement": relation.agreement if relation else None,
            "gain_db": relation.gain_db if relation else None,
            "difference_db": relation.difference_db if relation else None,
            "common_s": relation.common_s if relation else None,
            "problems": [dataclasses.asdict(problem) for problem in self.problems],
            "notes": [problem.text for problem in self.problems if problem.severity == "note"],
            "unmastered": self.before.to_dict() if self.before else None,
            "mastered": self.after.to_dict() if self.after else None,
        }
        return _plain(plain)


def _delay_ms(relation: Relation | None, after: SideReport | None) -> float | None:
    if relation is None or after is None:
        return None
    return 1000.0 * relation.delay_samples / after.file.sample_rate


def _plain(value: Any) -> Any:
    """Numbers rounded to what is measured; None for NaN and infinities."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
