"""Report section: what is normal for a song like this, where the song lies, and how far it was moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from neural_mastering.reporting.charts import spectra_chart
from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.html_table import bullet_list, facts, plain_table
from neural_mastering.reporting.markup import Html, tag
from neural_mastering.reporting.report_data import Chart, Table


@dataclass(frozen=True)
class ToneReport:
    """Where the tone of a song lies among finished songs.

    Attributes:
        compared_with: what the song is compared with, such as "songs like this".
        explanation: one sentence on how far the song may be moved, and why.
        spectrum: the song and what is expected, with a corridor of one standard deviation.
        move: what was asked for, what was applied, and the parts that make it.
        regions: (region, song against expected in dB, in standard deviations, move in dB, words).
        kinds: probability of each kind of music by content, largest first.
    """

    compared_with: str
    explanation: str
    spectrum: Chart
    move: Chart
    regions: Sequence[tuple[str, float, float, float, str]] = ()
    kinds: Mapping[str, float] = field(default_factory=dict)


def tone_section(tone: ToneReport) -> Html:
    """Explanation, both charts, the regions, and the probabilities."""
    charts = tag(
        "div",
        spectra_chart(
            tone.spectrum,
            Colours(),
            f"The song among {tone.compared_with}",
            "Third octaves, level left out. Shaded: one standard deviation to either side of what is expected.",
        ),
        spectra_chart(tone.move, Colours([line.name for line in tone.move.lines]), "The move", against=True),
        class_="two",
    )
    parts = [tag("p", tone.explanation), charts]
    if tone.regions:
        columns = ("Region", "Against normal (dB)", "Deviations", "Move (dB)", "In words")
        parts.append(plain_table(Table("", columns, tone.regions, digits=(0, 1, 1, 1, 0))))
    if tone.kinds:
        shown = sorted(tone.kinds.items(), key=lambda item: -item[1])
        said = facts({name: f"{100.0 * share:.0f} %" for name, share in shown})
        title = tag("summary", "Which kind of music this may be, by its content")
        caution = bullet_list(
            ["Found by a classifier; the songs that it learned from were labelled by their titles."]
        )
        parts.append(tag("details", title, said, caution, class_="more"))
    return tag("div", *parts)
