"""The numbers of a master report as one JSON object."""

from typing import Any

from neural_mastering.reporting.axes import as_array
from neural_mastering.reporting.charts import numbered_bands
from neural_mastering.reporting.markup import plain
from neural_mastering.reporting.master_data import MasterReport
from neural_mastering.reporting.report_data import Chart, EqCurve


def master_json(report: MasterReport) -> dict[str, Any]:
    """What `report.json` holds: the numbers of the master, and under `curves` what the page draws.

    NaN (not measured) and infinities (silence) become null.
    """
    curves = {
        "eq": _eq(report.eq),
        "reductions": [
            {"stage": r.stage, "time_s": as_array(r.time_s), "reduction_db": as_array(r.reduction_db)}
            for r in report.reductions
        ],
        "added": _chart(report.added, "time_s", "added_db"),
        "short_term": _chart(report.short_term, "time_s", "lufs"),
        "spectra": _chart(report.spectra, "frequency_hz", "level_db"),
    }
    return plain({**report.numbers, "curves": curves})


def _eq(eq: EqCurve | None) -> dict[str, Any] | None:
    if eq is None:
        return None
    bands = [
        {"kind": b.kind, "frequency_hz": b.frequency_hz, "gain_db": b.gain_db, "q": b.q}
        for b in numbered_bands(eq.bands)
    ]
    return {"frequency_hz": as_array(eq.at_hz), "total_db": as_array(eq.total_db), "bands": bands}


def _chart(chart: Chart | None, at: str, unit: str) -> dict[str, Any] | None:
    if chart is None:
        return None
    lines = [
        {
            "name": line.name,
            at: as_array(chart.at if line.at is None else line.at),
            unit: as_array(line.values),
        }
        for line in chart.lines
    ]
    return {"lines": lines}
