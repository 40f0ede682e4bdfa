"""What a smaller or a larger step in the same direction would have undone: hindsight, nothing is chosen on it.

    python -m experiments.mistakes_undone.steps OUT [--system auto@balanced] [--mistake "random 2 dB"]

Needs OUT/songs.csv of the main study. The curve of a song times s leaves

    after(s)² = before² + s·(after² − before² − move²) + s²·move²

of its mistake, in decibels over third octaves, where `before`, `after` and `move` are columns of the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.common.command_line import parser_of
from experiments.common.scores import removed, removed_interval, share_worse
from experiments.mistakes_undone.rows import Row, read
from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.reporting.table import markdown_table

STEPS = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2)


def after_step(before_db: Float64s, after_db: Float64s, move_db: Float64s, step: float) -> Float64s:
    """(song,) RMS of what is left of a mistake behind `step` times the curve."""
    along = after_db**2 - before_db**2 - move_db**2
    return np.sqrt(np.maximum(before_db**2 + step * along + step**2 * move_db**2, 0.0))


def best_step(before_db: Float64s, after_db: Float64s, move_db: Float64s) -> float:
    """The step, the same for all songs, that removes most energy."""
    return float(-0.5 * (after_db**2 - before_db**2 - move_db**2).sum() / (move_db**2).sum())


def table(rows: Sequence[Row]) -> list[dict[str, str]]:
    """A line for each step."""
    before, after, move = (
        np.array([getattr(row, f"{name}_db") for row in rows]) for name in ("before", "after", "move")
    )
    packages = [row.package for row in rows]
    lines = []
    for step in sorted({*STEPS, round(best_step(before, after, move), 2)}):
        left = after_step(before, after, move, step)
        low, high = removed_interval(before, left, packages)
        lines.append(
            {
                "step": f"{step:g}",
                "songs": str(len(rows)),
                "removed": f"{100.0 * removed(before, left):.1f} % [{100.0 * low:.1f}, {100.0 * high:.1f}]",
                "worse": f"{100.0 * share_worse(before, left):.0f} %",
            }
        )
    return lines


def main() -> None:
    """Print the table."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--system", default="auto@balanced")
    parser.add_argument("--mistake", default="random 2 dB")
    arguments = parser.parse_args()
    rows = [
        row
        for row in read(arguments.out / "songs.csv")
        if (row.system, row.condition) == (arguments.system, arguments.mistake)
    ]
    if not rows:
        parser.error(
            f"{arguments.out / 'songs.csv'} has no row of {arguments.system} with {arguments.mistake}"
        )
    print(markdown_table(table(rows)))


if __name__ == "__main__":
    main()
