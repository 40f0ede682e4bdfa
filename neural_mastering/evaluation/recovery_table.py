"""The table of recovery: how near each system comes to the true correction."""

import math
from collections.abc import Sequence

from neural_mastering.evaluation.song_result import SongResult
from neural_mastering.evaluation.song_systems import SongSystem
from neural_mastering.evaluation.statistics import SongStatistic, estimate
from neural_mastering.reporting.markup import number
from neural_mastering.reporting.report_data import Table

FIELDS = ("curve_rms_db", "gain_error_db", "width_error_db")


def recovery_estimates(
    results: Sequence[SongResult], system: str, seed: int = 0
) -> dict[str, SongStatistic] | None:
    """Field of `Recovery` → over songs; None where no song's truth is known."""
    known = [r for r in results if system in r.recovery]
    if not known:
        return None
    groups = [r.group for r in known]
    return {
        name: estimate([getattr(r.recovery[system], name) for r in known], groups, seed) for name in FIELDS
    }


def recovery_table(results: Sequence[SongResult], systems: Sequence[SongSystem]) -> list[Table]:
    """One table, or none where the pairs have no known truth; the identity is the zero correction."""
    rows: list[list[str | float | int | None]] = []
    for system in systems:
        estimates = recovery_estimates(results, system.key)
        if estimates is not None:
            name = "zero correction (identity)" if system.kind == "identity" else system.name
            rows.append([name, *(_text(estimates[field]) for field in FIELDS)])
    if not rows:
        return []
    columns = ["system", "curve RMS (dB)", "gain error (dB)", "width error (dB)"]
    caption = (
        "Against the parameters with which the pairs were made. Curve: RMS over 40 Hz to 16 kHz, evenly in log "
        "frequency, of the system's response less the one that undoes the degradation's equaliser, each less its "
        "mean. Gain: the difference of those means, broadband gain included. Width: change of side over mid, "
        "median over third octaves. Mean over songs with its 95 % interval over groups. What else was done "
        "(dynamics, a low-pass) is in no column. Outside masters show no curve."
    )
    return [Table("Recovery of the true correction", columns, rows, caption)]


def _text(value: SongStatistic) -> str:
    if math.isnan(value.mean):
        return "–"
    interval = f" ({number(value.low, 2)} to {number(value.high, 2)})" if math.isfinite(value.low) else ""
    return f"{number(value.mean, 2)}{interval}"
