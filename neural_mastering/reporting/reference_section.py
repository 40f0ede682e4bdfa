"""How far a song came towards its references: a table of respects, and the curve asked for and applied."""

from collections.abc import Sequence
from dataclasses import dataclass

from neural_mastering.reporting.charts import spectra_chart
from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.html_table import plain_table
from neural_mastering.reporting.markup import Html, tag
from neural_mastering.reporting.report_data import Chart, Table

_NAN = float("nan")


@dataclass(frozen=True)
class RespectRow:
    """One respect in which a song follows references.

    Attributes:
        respect: "tone", "width", "dynamics" or "loudness".
        unit: of the distances.
        share: of the way that was asked for, 0 to 1.
        before, after: distance of song and master from the references; NaN where they can't be compared.
        song, master, reference: side over mid in dB, PLR in dB, loudness in LUFS; NaN for the tone.
        left: what is left and why, "" where nothing is.
    """

    respect: str
    unit: str
    share: float
    before: float
    after: float
    song: float = _NAN
    master: float = _NAN
    reference: float = _NAN
    left: str = ""


@dataclass(frozen=True)
class ReferenceReport:
    """What following references did.

    Attributes:
        rows: one a respect.
        curves: difference, asked for and applied in dB over third octaves.
        same_song: the references are another version of the song.
    """

    rows: Sequence[RespectRow]
    curves: Chart
    same_song: bool = False


def reference_section(report: ReferenceReport) -> Html:
    """Table and chart."""
    columns = (
        "Respect",
        "Followed (%)",
        "Distance before",
        "Distance after",
        "Unit",
        "Song",
        "Master",
        "Reference",
        "Left",
    )
    rows = [
        [
            row.respect,
            round(100.0 * row.share),
            row.before,
            row.after,
            row.unit,
            row.song,
            row.master,
            row.reference,
            row.left,
        ]
        for row in report.rows
    ]
    caption = (
        "Distances: tone, RMS of octave-smoothed third octaves from 50 Hz to 12.5 kHz, level left out; width, mean "
        "of side over mid by third octave; dynamics, RMS of the quantiles of levels of 50 ms; loudness, "
        "integrated. Song, master and reference: side over mid in dB, peak to loudness ratio in dB, LUFS."
    )
    chart = spectra_chart(
        report.curves,
        Colours(),
        "What the reference asks of the equaliser",
        "Third octaves, level left out. "
        + (
            "Another version of the song: what an equaliser can have done is followed."
            if report.same_song
            else "The smooth difference, the share of it that was asked for within the limits, and what the "
            "equaliser does."
        ),
        against=True,
    )
    return tag("div", plain_table(Table("", columns, rows, caption, digits=1)), chart)
