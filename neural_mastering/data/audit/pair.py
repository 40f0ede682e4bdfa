"""The audit of one pair of files."""

from dataclasses import dataclass
from pathlib import Path

import soundfile

from neural_mastering.audio_io.sound_source import sound_source
from neural_mastering.data.audio_file import AudioFile, probe
from neural_mastering.data.audit.decoded import decoded
from neural_mastering.data.audit.fingerprint import fingerprint
from neural_mastering.data.audit.levels import measure_levels
from neural_mastering.data.audit.problems import (
    LEAST_LENGTH_S,
    Problem,
    file_problems,
    identity_problems,
    level_problems,
    relation_problems,
)
from neural_mastering.data.audit.relation import relate
from neural_mastering.data.audit.report import PairReport, SideReport
from neural_mastering.data.errors import DataError

_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}


@dataclass(frozen=True)
class PairFiles:
    """The files of one song; a side may be missing.

    Attributes:
        name: of the song.
        group, split: from the manifest.
        before, after: paths.
        fault: what is wrong with the files themselves, such as two of one name, or "".
    """

    name: str
    group: str
    split: str
    before: Path | None
    after: Path | None
    fault: str = ""


def audit_pair(files: PairFiles) -> PairReport:
    """Measure one pair; whatever is wrong with it ends in the report and not in an exception."""
    report = PairReport(files.name, files.group, files.split)
    for side, path in (("unmastered", files.before), ("mastered", files.after)):
        if path is None:
            report = report.with_problem(Problem("missing", "broken", f"there is no {side} side"))
    if files.fault:
        report = report.with_problem(Problem("files", "broken", files.fault))
    if files.before is None or files.after is None or files.fault:
        return report
    try:
        return _audit(report, probe(files.before), probe(files.after))
    except DataError as error:
        text = str(error).replace(f"{files.before.parent}/", "").replace(f"{files.after.parent}/", "")
        text = text.replace(f"{files.before.parent.resolve()}/", "").replace(
            f"{files.after.parent.resolve()}/", ""
        )
        return report.with_problem(
            Problem("unreadable", "broken", text.removesuffix(": export it again, or remove it"))
        )
    except (OSError, MemoryError) as error:
        return report.with_problem(Problem("unreadable", "broken", f"cannot be read ({error})"))


def _audit(report: PairReport, one: AudioFile, two: AudioFile) -> PairReport:
    before, after = decoded(one), decoded(two)
    levels = (measure_levels(before), measure_levels(after))
    problems = level_problems(*levels, one.frames * one.channels, two.frames * two.channels)
    silent = any(problem.kind == "silent" for problem in problems)
    relation = None
    prints = (fingerprint(before),)
    if min(one.duration_s, two.duration_s) < LEAST_LENGTH_S:
        text = f"{min(one.duration_s, two.duration_s):.2f} s are too short to compare the sides"
        problems.append(Problem("short", "broken", text))
    elif not silent:
        relation = relate(before, after)
        problems += relation_problems(relation, two.sample_rate)
        if any(problem.kind == "unrelated" for problem in problems):
            prints = (prints[0], fingerprint(after))
            relation = None
        elif relation is not None:
            problems += identity_problems(relation)
    problems += file_problems(one, two, relation)
    return PairReport(
        report.name,
        report.group,
        report.split,
        _side(one, levels[0]),
        _side(two, levels[1]),
        relation,
        tuple(problems),
        prints,
    )


def _side(file: AudioFile, levels: object) -> SideReport:
    info = soundfile.info(sound_source(file.path))
    return SideReport(file, info.format, info.subtype, _BITS.get(info.subtype), levels)  # type: ignore[arg-type]
