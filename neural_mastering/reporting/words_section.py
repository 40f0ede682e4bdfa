"""What words did to a song: strengths, evidence, the curve asked for and the curve that came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from neural_mastering.reporting.charts import spectra_chart
from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.html_table import bullet_list, facts, plain_table
from neural_mastering.reporting.markup import Html, number, tag
from neural_mastering.reporting.report_data import Chart, Table


@dataclass(frozen=True)
class WordEntry:
    """A word with its evidence.

    Attributes:
        word: as it was asked for.
        strength: −1 to 1.
        source: title of the data it comes from.
        n: contributions.
        users: people, None where it is not known.
        agreement: mean correlation of two people's curves, None where it is not known.
        reliability: of the mean curve, None where it is not known.
        evidence: "supported", or "low".
    """

    word: str
    strength: float
    source: str
    n: int
    users: int | None
    agreement: float | None
    reliability: float | None
    evidence: str


@dataclass(frozen=True)
class WordsReport:
    """All words of a song.

    Attributes:
        entries: one a word.
        curves: "asked for" and "applied" in dB over third octaves; None without words of the equaliser.
        fit_rms_db, fit_max_db: error of the equaliser against what was wanted of it, 50 Hz to 16 kHz.
        compensation_db: gain that keeps the loudness.
        citations: of the data.
    """

    entries: Sequence[WordEntry]
    curves: Chart | None
    fit_rms_db: float
    fit_max_db: float
    compensation_db: float
    citations: Sequence[str] = ()


def words_section(words: WordsReport) -> Html:
    """Table, chart, errors and citations."""
    rows = [
        [e.word, e.strength, e.source, e.n, e.users, e.agreement, e.reliability, e.evidence]
        for e in words.entries
    ]
    columns = ("Word", "Strength", "Source", "n", "People", "Agreement", "Reliability", "Evidence")
    caption = (
        "Strength 1 of a word is 1.5 dB RMS over third octaves, a size chosen by us: the data holds none. "
        "Agreement is the mean correlation of two people's curves, reliability that of the mean curve."
    )
    table = plain_table(Table("", columns, rows, caption))
    parts: list[Html] = [table]
    if words.curves is not None:
        drawn = spectra_chart(
            words.curves,
            Colours(),
            "What the words change",
            "Third octaves, level left out. Applied: the equaliser less what it does without words.",
            against=True,
        )
        parts.append(drawn)
        parts.append(
            facts(
                {
                    "Fit error": f"{number(words.fit_rms_db, 2)} dB RMS, {number(words.fit_max_db, 2)} dB at most",
                    "Gain that keeps the loudness": f"{number(words.compensation_db, 2, signed=True)} dB",
                }
            )
        )
    if words.citations:
        sources = tag("summary", "Sources of the words")
        parts.append(tag("details", sources, bullet_list(words.citations), class_="more"))
    return tag("div", *parts)
