"""The pairs of a folder, audited and measured, several at a time; what was done is kept, so that a run goes on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from neural_mastering.atomic import write_text
from neural_mastering.data.alignment_record import decoded, encoded, file_hash
from neural_mastering.data.audit.folder import compare_songs, list_pairs, one_thread
from neural_mastering.data.audit.pair import PairFiles, audit_pair
from neural_mastering.data.audit.problems import Problem
from neural_mastering.data.audit.report import PairReport
from neural_mastering.engineer.measurement_file import VERSION, measurement_dict, measurement_of
from neural_mastering.engineer.pair import CommonPart, PairMeasurement, measure_pair
from neural_mastering.errors import InputError
from neural_mastering.worker_pool import run_jobs

FOLDER = "pairs"
"""Of the measurements, in the folder of the results."""

UNLIKE_S = 0.05
"""Sides that are shifted or of different length by more than this are measured on their common part."""


@dataclass(frozen=True)
class AuditedPair:
    """One pair of a folder.

    Attributes:
        files: of it.
        problems: what the audit found.
        measurement: of the pair; None where it can't be used.
        starts_s: where the common music begins in the mix and in the master.
    """

    files: PairFiles
    problems: tuple[Problem, ...]
    measurement: PairMeasurement | None
    starts_s: tuple[float, float] = (0.0, 0.0)

    @property
    def refusal(self) -> str:
        """Why it isn't used; empty where it is."""
        return "; ".join(problem.text for problem in self.problems if problem.severity == "broken")


def audited_pairs(
    folder: str | Path,
    kept: Path,
    jobs: int = 1,
    done: Callable[[Any], None] | None = None,
) -> list[AuditedPair]:
    """Audit and measure every pair of a folder; what is broken is named and the others go on.

    Args:
        folder: with unmastered/ and mastered/.
        kept: where measurements are kept between runs; those of unchanged files are used again.
        jobs: processes at most.
        done: called for each pair as it is finished.

    Raises:
        InputError: no such folder, or no audio in it.
    """
    pairs = list_pairs(folder)
    kept.mkdir(parents=True, exist_ok=True)
    found = run_jobs(partial(_audited, kept=kept), pairs, jobs, done, one_thread)
    reports = [_report(files, plain) for files, plain in zip(pairs, found, strict=True)]
    compared = compare_songs(reports)
    return [
        AuditedPair(
            files,
            report.problems,
            measurement_of(plain["measurement"])
            if plain["measurement"] and not any(p.severity == "broken" for p in report.problems)
            else None,
            tuple(plain["starts_s"]),
        )
        for files, plain, report in zip(pairs, found, compared, strict=True)
    ]


def _audited(files: PairFiles, kept: Path) -> dict[str, Any]:
    """What is known of a pair: the stored record where the files are the same, else a new one."""
    sources = [file_hash(path) for path in (files.before, files.after)]
    key = "\n".join([files.name, *sources]).encode("utf-8", "surrogateescape")
    record = kept / f"{hashlib.blake2b(key, digest_size=12).hexdigest()}.json"
    stored = _stored(record)
    if stored is not None and stored["sources"] == sources:
        return stored
    report = audit_pair(files)
    measurement, common = None, common_part(report)
    if report.state != "broken" and files.before is not None and files.after is not None:
        try:
            measurement = measurement_dict(measure_pair(files.before, files.after, files.name, common))
        except InputError as error:
            report = report.with_problem(Problem("unmeasured", "broken", str(error)))
    plain = {
        "version": VERSION,
        "sources": sources,
        "problems": [dataclasses.asdict(problem) for problem in report.problems],
        "prints": encoded(report.prints),
        "starts_s": [0.0, 0.0] if common is None else [common.mix_start_s, common.master_start_s],
        "measurement": measurement,
    }
    write_text(record, json.dumps(plain) + "\n")
    return plain


def common_part(report: PairReport) -> CommonPart | None:
    """The part of both sides that is the same music; None where they begin and end together."""
    relation, before, after = report.relation, report.before, report.after
    if relation is None or before is None or after is None:
        return None
    late_s = relation.delay_samples / after.file.sample_rate  # of the master
    mix_start_s, master_start_s = max(-late_s, 0.0), max(late_s, 0.0)
    lengths = (before.file.duration_s - mix_start_s, after.file.duration_s - master_start_s)
    if abs(late_s) <= UNLIKE_S and abs(lengths[0] - lengths[1]) <= UNLIKE_S:
        return None
    return CommonPart(mix_start_s, master_start_s, min(lengths))


def _stored(record: Path) -> dict[str, Any] | None:
    try:
        plain = json.loads(record.read_text("utf-8"))
        return plain if plain["version"] == VERSION else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _report(files: PairFiles, plain: dict[str, Any]) -> PairReport:
    problems = tuple(Problem(**{**p, "others": tuple(p["others"])}) for p in plain["problems"])
    return PairReport(
        files.name, files.group, files.split, problems=problems, prints=decoded(plain["prints"])
    )


def usable(pairs: Sequence[AuditedPair]) -> list[AuditedPair]:
    """Those that were measured."""
    return [pair for pair in pairs if pair.measurement is not None]
