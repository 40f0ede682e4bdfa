"""The table that follows every training run."""

from collections.abc import Sequence

from neural_mastering.evaluation.comparison import Row

FOOTNOTE = "* brought to the target's own loudness (an oracle): what is left is tone."


def table_rows(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Rows of text for `reporting.table`, the first system being the identity."""
    reference = rows[0].objective
    return [
        {
            "system": row.system,
            "objective": f"{row.objective:.3f}",
            "vs identity": "–" if row is rows[0] else f"{100.0 * (row.objective / reference - 1.0):+.1f} %",
            **{name: f"{value:.3f}" for name, value in row.terms.items()},
            "improved": "–" if row is rows[0] else f"{row.songs_improved}/{row.songs}",
        }
        for row in rows
    ]
