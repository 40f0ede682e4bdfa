"""Cells of a table from the metrics.json of nm-eval."""

from collections.abc import Mapping, Sequence
from typing import Any


def cells(scores: Mapping[str, Mapping[str, Any]], columns: Sequence[str]) -> dict[str, str]:
    """Mean [95 % interval] of each column; without an interval where there are fewer than two groups."""
    found = {}
    for column in columns:
        score = scores[column]
        interval = "" if score["low"] is None else f" [{score['low']:.3g}, {score['high']:.3g}]"
        found[column] = f"{score['mean']:.3g}{interval}"
    return found
