"""What is known of a pair that is being mended, kept beside the result so that a stopped run goes on."""

import base64
import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neural_mastering.atomic import write_text
from neural_mastering.data.alignment_render import AlignmentPlan
from neural_mastering.data.audit.problems import Problem
from neural_mastering.data.audit.report import PairReport
from neural_mastering.data.errors import DataError

VERSION = 1
"""Rises when the audit or the rendering changes, so that older records are not trusted."""

FOLDER = ".align"


@dataclass
class Record:
    """One pair.

    Attributes:
        name, group, split: of the song.
        sources: SHA-256 of the original files, by side; "" for a missing one.
        problems: findings of the audit.
        plan: how to mend it; None where it is broken.
        measured: readings before mending.
        prints: fingerprints, for finding duplicates.
        outputs: by side, the file's name and SHA-256; empty until written.
        residual: readings after mending.
        done: what was done, in words.
        new_group: group in the result, where duplicates had to be brought together.
    """

    name: str
    group: str
    split: str
    sources: dict[str, str]
    problems: list[dict[str, Any]]
    plan: dict[str, Any] | None
    measured: dict[str, Any]
    prints: list[str]
    version: int = VERSION
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    residual: dict[str, Any] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    new_group: str = ""

    def report(self) -> PairReport:
        """The part of the audit that comparing songs needs."""
        prints = decoded(self.prints)
        problems = tuple(
            Problem(**{**problem, "others": tuple(problem.get("others", ()))}) for problem in self.problems
        )
        return PairReport(self.name, self.group, self.split, problems=problems, prints=prints)

    def plan_object(self) -> AlignmentPlan:
        """The plan, as what it was before it became JSON."""
        assert self.plan is not None
        plain: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in self.plan.items()}
        return AlignmentPlan(**plain)

    def save(self, folder: Path) -> None:
        """Write the record, whole or not at all."""
        text = json.dumps(dataclasses.asdict(self)) + "\n"
        write_text(record_file(folder, self.name), text, error=DataError)


def record_file(folder: Path, name: str) -> Path:
    """Where the record of a song is kept below the result."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
    return folder / FOLDER / f"{digest}.json"


def load_record(file: Path) -> Record | None:
    """A record of this version; None where there is none, or a damaged one."""
    try:
        record = Record(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return record if record.version == VERSION else None


def encoded(prints: tuple[np.ndarray, ...]) -> list[str]:
    """Fingerprints as text."""
    return [base64.b64encode(p.astype("<u4").tobytes()).decode() for p in prints]


def decoded(prints: Sequence[str]) -> tuple[np.ndarray, ...]:
    """Fingerprints from text."""
    return tuple(np.frombuffer(base64.b64decode(text), dtype="<u4").astype(np.uint32) for text in prints)


def file_hash(path: Path | None) -> str:
    """SHA-256 of a file; "" where there is none."""
    if path is None or not path.is_file():
        return ""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
