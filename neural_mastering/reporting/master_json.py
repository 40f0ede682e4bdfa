"""The numbers of a master report as one JSON object."""

from dataclasses import asdict
from typing import Any

import numpy as np

from neural_mastering.reporting.axes import as_array
from neural_mastering.reporting.charts import numbered_bands
from neural_mastering.reporting.markup import plain
from neural_mastering.reporting.master_data import MasterReport
from neural_mastering.reporting.report_data import Chart, EqCurve
from neural_mastering.reporting.sentences import what_was_done
from neural_mastering.reporting.words_section import WordsReport


def master_json(report: MasterReport) -> dict[str, Any]:
    """What `report.json` holds: `input` and `output` with the readings, `controls`, `warnings`, curves and courses.

    NaN (not measured) and infinities (silence) become null. What `report.further` names goes in at the top level,
    but never takes the place of a number that the page shows.
    """
    numbers = {
        "title": report.title,
        "input": asdict(report.input),
        "output": asdict(report.output),
        "delivery": asdict(report.delivery),
        "provenance": asdict(report.provenance),
        "gain_db": report.gain_db,
        "eq": _eq(report.eq),
        "reductions": [
            {
                "stage": r.stage,
                "max_db": float(np.max(as_array(r.reduction_db), initial=0.0)),
                "mean_db": float(np.mean(as_array(r.reduction_db))) if as_array(r.reduction_db).size else 0.0,
                "time_s": as_array(r.time_s),
                "reduction_db": as_array(r.reduction_db),
            }
            for r in report.reductions
        ],
        "saturation": _chart(report.saturation, "time_s", "added_db"),
        "short_term": _chart(report.short_term, "time_s", "lufs"),
        "spectra": _chart(report.spectra, "frequency_hz", "level_db"),
        "controls": report.controls,
        "words": _words(report.words),
        "did": what_was_done(report),
        "warnings": list(report.warnings),
    }
    return plain({**report.further, **numbers})


def _eq(eq: EqCurve | None) -> dict[str, Any] | None:
    if eq is None:
        return None
    bands = [
        {"kind": b.kind, "frequency_hz": b.frequency_hz, "gain_db": b.gain_db, "q": b.q}
        for b in numbered_bands(eq.bands)
    ]
    return {"frequency_hz": as_array(eq.at_hz), "total_db": as_array(eq.total_db), "bands": bands}


def _words(words: WordsReport | None) -> dict[str, Any] | None:
    if words is None:
        return None
    return {
        "entries": [asdict(entry) for entry in words.entries],
        "curves": _chart(words.curves, "frequency_hz", "level_db"),
        "fit_rms_db": words.fit_rms_db,
        "fit_max_db": words.fit_max_db,
        "loudness_compensation_db": words.compensation_db,
        "citations": list(words.citations),
    }


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
