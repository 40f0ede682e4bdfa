"""The section on references: numbers, what is left, and the curve."""

import numpy as np

from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.reporting.reference_section import ReferenceReport, RespectRow, reference_section
from neural_mastering.reporting.report_data import Chart, ChartLine


def test_rows_and_lines_are_shown_and_text_is_escaped() -> None:
    rows = (
        RespectRow("tone", "dB", 0.6, 8.25, 4.5, left="<b>moves</b> stay within ±6 dB"),
        RespectRow("width", "dB", 0.6, float("nan"), float("nan")),
        RespectRow("loudness", "LU", 1.0, 3.0, 0.0, -17.0, -14.0, -14.0),
    )
    flat = np.zeros(CENTRES_HZ.size)
    lines = [ChartLine("asked for", flat, "target"), ChartLine("applied", flat, "result")]
    page = str(reference_section(ReferenceReport(rows, Chart(CENTRES_HZ, lines))))
    for text in ("tone", "8.2", "4.5", "&lt;b&gt;moves", "applied", "−17.0", "60"):
        assert text in page, text
    assert "<b>moves" not in page and "nan" not in page.lower()
