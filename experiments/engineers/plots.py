"""The learning curves: a panel for each engineer, a line for each system."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.engineers import learned
from experiments.engineers.study import CEILING, Cell

SHOWN = (learned.NAME, CEILING, "ridge, long-term features", "nearest pair", "match, shrunk", "average EQ")
_COLOURS = ("#0b6e4f", "#000000", "#3b6fb6", "#c26a00", "#8a4fbf", "#9a9a9a")
_COLUMNS = 3
_LOWEST = -0.6


def learning_curves(cells: Sequence[Cell], path: Path) -> None:
    """Song-dependent part over pairs, the whole move for engineers that do the same to every song; a PNG.

    Args:
        cells: of the study.
        path: of the picture.
    """
    import matplotlib  # only where something is drawn

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt  # after the backend is chosen

    names = list(dict.fromkeys(cell.engineer for cell in cells))
    rows = math.ceil(len(names) / _COLUMNS)
    figure, axes = plt.subplots(
        rows, _COLUMNS, figsize=(10.0, 2.7 * rows), sharex=True, squeeze=False, layout="constrained"
    )
    for panel, name in zip(axes.flat, names, strict=False):
        _panel(panel, [cell for cell in cells if cell.engineer == name], name)
    for panel in list(axes.flat)[len(names) :]:
        panel.set_axis_off()
    for panel in axes[-1]:
        panel.set_xlabel("pairs")
    handles, labels = axes.flat[min(1, len(names) - 1)].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=_COLUMNS, frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _panel(panel: Any, cells: Sequence[Cell], name: str) -> None:
    constant = all(math.isnan(cell.score.song_dependent.value) for cell in cells)
    for system, colour in zip(SHOWN, _COLOURS, strict=True):
        own = [cell for cell in cells if cell.system == system]
        if not own:
            continue
        shares = [cell.score.whole if constant else cell.score.song_dependent for cell in own]
        pairs = [cell.pairs for cell in own]
        style = "--" if system == CEILING else "-"
        values = [max(share.value, _LOWEST) for share in shares]
        panel.plot(pairs, values, style, marker="o", ms=3, color=colour, label=system)
        if system == learned.NAME:
            low, high = ([max(share[i], _LOWEST) for share in shares] for i in (1, 2))
            panel.fill_between(pairs, low, high, color=colour, alpha=0.15, lw=0)
    panel.set_title(f"{name}{' (whole move)' if constant else ''}", fontsize=10)
    panel.set(xscale="log", ylim=(_LOWEST, 1.03))
    ticks = sorted({cell.pairs for cell in cells})
    panel.set_xticks(ticks, [str(t) for t in ticks])
    panel.minorticks_off()
    panel.axhline(0.0, color="#cccccc", lw=0.8, zorder=0)
