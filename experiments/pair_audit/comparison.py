"""What the audit reports against what was planted."""

from typing import Any

from experiments.pair_audit.cases import Case
from neural_mastering.data.audit.report import PairReport


def hit(case: Case, report: PairReport) -> bool:
    """Whether the planted fault is among the problems."""
    return any(report.has(kind) for kind in case.kinds)


def wrong(case: Case, report: PairReport) -> bool:
    """Missed, or something reported that was not planted."""
    return (bool(case.kinds) and not hit(case, report)) or bool(surplus(case, report))


def surplus(case: Case, report: PairReport) -> list[str]:
    """Kinds of problems, other than notes, that nobody planted."""
    expected = set(case.kinds)
    if case.polarity < 0:
        expected.add("polarity")
    if case.swapped:
        expected.add("swapped")
    if case.delay_samples:
        expected.add("delay")
    if case.fault == "piece missing inside" or case.filled or case.drift_ppm:
        expected.add("length")
    if case.fault == "other song":
        expected |= {"mistaken", "rate", "length"}
    if 0 <= case.song < 6:
        expected.add("duplicate")  # these songs are in the folder under another name
    if has_own_offset(report):
        expected.add("dc")
    return [p.kind for p in report.problems if p.severity != "note" and p.kind not in expected]


def has_own_offset(report: PairReport) -> bool:
    """Whether the song itself has a DC offset, as some chip music has: found rightly, but not planted."""
    levels = report.before.levels if report.before else None
    return levels is not None and levels.dc > 0.05 * levels.rms


def measured(case: Case, report: PairReport) -> bool:
    """Whether there is a true delay to compare with."""
    return report.relation is not None and case.fault not in (
        "other song",
        "piece missing inside",
        "one channel inverted",
    )


def relation(report: PairReport) -> Any:
    """The measured relation of a pair that has one."""
    assert report.relation is not None
    return report.relation


def delay_error(case: Case, report: PairReport) -> float:
    """|found − planted| at the start, in samples."""
    return abs(relation(report).delay_samples - case.delay_samples)
