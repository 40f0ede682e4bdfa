"""How long a batch will take."""

from __future__ import annotations

import statistics

from neural_mastering.batch.plan import Plan
from neural_mastering.batch.request import BatchRequest
from neural_mastering.batch.results import read_records

_GUESS_S = {"master": 15.0, "measure": 3.0, "evaluate": 30.0}
"""Seconds of one core for a song of four minutes, measured on one machine; see docs/scale.md."""


def estimate(request: BatchRequest, planned: Plan, jobs: int) -> str:
    """A sentence, from what earlier songs of this folder took, else from a machine that may be unlike this one."""
    records = read_records(request.out).values() if request.out.exists() else ()
    taken = [record.seconds for record in records if record.status == "done" and record.seconds is not None]
    if taken:
        each, source = statistics.fmean(taken), f"the mean of {len(taken)} songs done here"
    else:
        each, source = (
            _GUESS_S[request.kind],
            "a guess for songs of four minutes; do a few, and it is measured",
        )
    return f"about {_time(planned.songs * each / max(jobs, 1))} with {jobs} at once ({each:.3g} s each: {source})"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86_400:.1f} days"
