"""The section on words: every number that it was given stands in it."""

import numpy as np
from nm_test_html import read

from neural_mastering.reporting.report_data import Chart, ChartLine
from neural_mastering.reporting.words_section import WordEntry, WordsReport, words_section

ENTRIES = (
    WordEntry("warm", 0.5, "SAFE, full mixes", 384, 9, 0.218, 0.715, "supported"),
    WordEntry("<b>deep</b>", -0.3, "SocialEQ", 6, None, 0.814, 0.963, "low"),
    WordEntry("punchy", 0.6, "SAFE, compressor", 20, 10, None, None, "low"),
)
CHART = Chart(
    np.geomspace(25.0, 16_000.0, 29),
    [
        ChartLine("asked for", np.linspace(1, -1, 29), "target"),
        ChartLine("applied", np.linspace(1.1, -1, 29)),
    ],
)


def test_words_evidence_curves_and_errors() -> None:
    report = WordsReport(ENTRIES, CHART, 0.034, 0.121, -0.27, ("SAFE: <Stables>",))
    text = str(words_section(report))
    rows = [[cell.text for cell in row.all("td")] for row in read(f"<!doctype html>\n{text}").all("tr")][1:]
    assert [row[1] for row in rows] == ["SAFE, full mixes", "SocialEQ", "SAFE, compressor"]
    assert rows[0] == ["0.50", "SAFE, full mixes", "384", "9", "0.22", "0.71", "supported"]
    assert rows[1][0] == "−0.30" and rows[1][3] == "–" and rows[1][6] == "low" and rows[2][4] == "–"
    assert "0.03 dB RMS, 0.12 dB at most" in text and "−0.27 dB" in text
    assert "asked for" in text and "applied" in text and "chosen by us" in text
    assert "<b>deep" not in text and "&lt;Stables&gt;" in text


def test_presets_alone_need_no_curve() -> None:
    text = str(words_section(WordsReport(ENTRIES[2:], None, 0.0, 0.0, 0.0)))
    assert "<svg" not in text and "Fit error" not in text and "punchy" in text
