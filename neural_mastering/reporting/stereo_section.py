"""Left and right by third octaves: correlation, and what mono takes away."""

from collections.abc import Sequence
from dataclasses import dataclass

from neural_mastering.reporting.html_table import plain_table
from neural_mastering.reporting.markup import Html, frequency
from neural_mastering.reporting.report_data import Table

_CAPTION = (
    "Of the song as it came. In mono: the level of (L + R)/2 over the mean of both channels; equal channels lose "
    "nothing, unrelated ones 3 dB."
)


@dataclass(frozen=True)
class StereoRow:
    """One third octave.

    Attributes:
        frequency_hz: its middle.
        correlation: of left and right, −1 to 1.
        fold_down_db: what it loses in mono, 0 or below.
    """

    frequency_hz: float
    correlation: float
    fold_down_db: float


def stereo_section(rows: Sequence[StereoRow]) -> Html:
    """One row a third octave."""
    table = [[frequency(row.frequency_hz), row.correlation, row.fold_down_db] for row in rows]
    columns = ("Third octave", "Correlation", "In mono (dB)")
    return plain_table(Table("", columns, table, _CAPTION, digits=(0, 2, 1)))
