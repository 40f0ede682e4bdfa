"""Pictures of an evaluation: what the equaliser does over songs, how systems compare, which bands are open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from neural_mastering.reporting.style import ACCENT, GRID, INK, MUTED, SECOND, log_frequency_axis, new_figure

Array = NDArray[np.floating]
_GROUPS_SHOWN = 16


def eq_curve_quantiles(at_hz: Array, curves_db: Array, title: str, wanted_db: Array | None = None) -> Figure:
    """Mean and quantiles over songs of the equaliser's total response, single songs faint behind.

    Args:
        at_hz: (frequency,).
        curves_db: (song, frequency) true total responses in dB, without the broadband gain.
        title: of the picture.
        wanted_db: (song, frequency) true corrections where they are known; their mean is drawn.
    """
    figure, axes = new_figure(9.0, 4.8)
    count = len(curves_db)
    for i, curve in enumerate(curves_db):
        label = f"single songs ({count})" if i == 0 and count > 1 else None
        axes.plot(
            at_hz, curve, color=MUTED, linewidth=0.7, alpha=max(0.12, min(0.9, 8.0 / count)), label=label
        )
    if count >= 4:
        outer = np.quantile(curves_db, [0.1, 0.9], axis=0)
        inner = np.quantile(curves_db, [0.25, 0.75], axis=0)
        axes.fill_between(
            at_hz, *outer, color=ACCENT, alpha=0.15, linewidth=0, label="10th to 90th percentile"
        )
        axes.fill_between(
            at_hz, *inner, color=ACCENT, alpha=0.25, linewidth=0, label="25th to 75th percentile"
        )
        axes.plot(
            at_hz, np.median(curves_db, axis=0), color=ACCENT, linewidth=1.0, linestyle=":", label="median"
        )
    axes.plot(
        at_hz, curves_db.mean(axis=0), color=ACCENT, linewidth=2.2, label="mean of the songs' responses"
    )
    shown = [curves_db]
    if wanted_db is not None:
        wanted = wanted_db.mean(axis=0)
        wanted = (
            wanted + (curves_db.mean(axis=0) - wanted).mean()
        )  # the broadband gain is another stage's business
        axes.plot(at_hz, wanted, color=SECOND, linewidth=1.5, linestyle="--", label="mean true correction")
        shown.append(wanted[None])
    axes.axhline(0.0, color=INK, linewidth=0.8)
    log_frequency_axis(axes)
    reach = max(3.0, 1.1 * max(float(np.abs(part).max()) for part in shown))
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("Gain (dB)", color=INK)
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    return figure


@dataclass(frozen=True)
class Panel:
    """One metric of a picture of distributions.

    Attributes:
        title: with its unit.
        values: system → songs' values; NaN where a song has none.
        intervals: system → ends of the mean's interval; NaN draws none.
        better: "lower" or "higher"; empty where neither is.
    """

    title: str
    values: Mapping[str, Sequence[float]]
    intervals: Mapping[str, tuple[float, float]]
    better: str = "lower"


def metric_distributions(panels: Sequence[Panel], highlighted: Sequence[str], title: str) -> Figure:
    """Each system's songs as dots, the mean with its interval, one panel a metric.

    Args:
        panels: all with the same systems in the same order.
        highlighted: systems to draw in colour (models).
        title: of the picture.
    """
    names = list(panels[0].values)
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    widest = max(len(name) for name in names)
    figure = Figure(figsize=(2.6 + 0.07 * widest + 3.1 * columns, 0.9 + rows * (0.8 + 0.27 * len(names))))
    figure.set_layout_engine("constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes, panel in zip(grid.flat, panels, strict=False):
        _distribution(axes, panel, set(highlighted))
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_visible(False)
    for row in grid:
        row[0].set_yticks(range(len(names)), names)
    figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=11)
    return figure


def _distribution(axes: Axes, panel: Panel, highlighted: set[str]) -> None:
    spread = np.random.default_rng(0)
    for i, (name, values) in enumerate(panel.values.items()):
        known = np.array([value for value in values if np.isfinite(value)])
        colour = ACCENT if name in highlighted else SECOND
        if known.size == 0:
            continue
        heights = i + spread.uniform(-0.16, 0.16, known.size)
        axes.plot(known, heights, ".", color=colour, alpha=0.35, markersize=4, markeredgewidth=0)
        low, high = panel.intervals[name]
        if np.isfinite(low):
            axes.plot([low, high], [i, i], color=colour, linewidth=2.0, solid_capstyle="butt")
        axes.plot([known.mean()], [i], "o", color=colour, markersize=5)
    axes.set_ylim(len(panel.values) - 0.5, -0.5)
    note = f" ({panel.better} is better)" if panel.better else ""
    axes.set_title(panel.title + note, loc="left", color=INK, fontsize=8.5)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.tick_params(colors=INK, labelsize=8, left=False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def band_usage(
    labels: Sequence[str],
    open_share: Array,
    counts: Sequence[int],
    title: str,
    groups: Sequence[str] = (),
    group_share: Array | None = None,
    held_share: Array | None = None,
) -> Figure:
    """How often each band is open, how many are open at once, and the same by group.

    Args:
        labels: one a band.
        open_share: (band,) share of songs.
        counts: open bands of each song.
        title: of the picture.
        groups: names, the largest first; empty where the manifest names none.
        group_share: (group, band) share of the group's songs.
        held_share: (band,) the part of `open_share` in which the band is open only to reach the least number.
    """
    shown = list(groups[:_GROUPS_SHOWN])
    height = 3.9 + (0.9 + 0.26 * len(shown) if shown else 0.0)
    figure = Figure(figsize=(10.0, height), layout="constrained")
    if shown and group_share is not None:
        grid = figure.add_gridspec(2, 2, width_ratios=[2.4, 1.0], height_ratios=[3.2, height - 3.9])
        often, many = (figure.add_subplot(g) for g in (grid[0, 0], grid[0, 1]))
        more = f", the {len(shown)} largest of {len(groups)}" if len(groups) > len(shown) else ""
        _by_group(figure.add_subplot(grid[1, :]), labels, shown, group_share[: len(shown)], more)
    else:
        grid = figure.add_gridspec(1, 2, width_ratios=[2.4, 1.0])
        often, many = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1])
    _how_often(often, labels, open_share, held_share)
    _at_once(many, len(labels), counts)
    for axes in (often, many):
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=11)
    return figure


def _how_often(axes: Axes, labels: Sequence[str], open_share: Array, held_share: Array | None) -> None:
    """A bar a band; the hatched end of it are the songs in which it is held open."""
    places = range(len(labels))
    axes.bar(places, open_share, color=ACCENT, width=0.7)
    if held_share is not None and held_share.any():
        held = np.flatnonzero(held_share)
        axes.bar(
            held, held_share[held], bottom=(open_share - held_share)[held], width=0.7, facecolor="white",
            edgecolor=ACCENT, hatch="////", label="held open to reach the least number of bands",
        )  # fmt: skip
        axes.legend(frameon=False, fontsize=7.5, loc="lower right", bbox_to_anchor=(1.0, 1.0))
    for place, share in zip(places, open_share, strict=True):
        words = "never" if share == 0.0 else _percent(float(share)) + " %"
        axes.text(place, share + 0.015, words, ha="center", va="bottom", fontsize=8, color=INK)
    axes.set_xticks(places, list(labels), rotation=35, ha="right", fontsize=8)
    axes.set_ylim(0.0, 1.1)
    axes.set_yticks(np.linspace(0.0, 1.0, 6))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, 0, " %"))
    axes.tick_params(labelsize=8)
    axes.set_ylabel("Songs with the band open", color=INK, fontsize=9)
    axes.set_title("How often each band is open", loc="left", fontsize=9, color=INK)


def _at_once(axes: Axes, bands: int, counts: Sequence[int]) -> None:
    bins = np.arange(bands + 1)
    axes.bar(bins, np.bincount(np.asarray(counts, dtype=int), minlength=len(bins)), color=SECOND, width=0.8)
    axes.set_xlabel("Open bands", color=INK, fontsize=9)
    axes.set_ylabel("Songs", color=INK, fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelsize=8)
    axes.set_title(f"Open at once: {np.mean(counts):.1f} on average", loc="left", fontsize=9, color=INK)


def _by_group(axes: Axes, labels: Sequence[str], groups: Sequence[str], share: Array, more: str) -> None:
    """Percentages in cells that are darker where a band is open more often."""
    axes.imshow(share, aspect="auto", vmin=0.0, vmax=1.0, cmap="Oranges", interpolation="nearest")
    for (row, band), value in np.ndenumerate(share):
        colour = "white" if value > 0.55 else INK
        axes.text(band, row, _percent(float(value)), ha="center", va="center", fontsize=7.5, color=colour)
    axes.set_yticks(range(len(groups)), list(groups), fontsize=8)
    axes.set_xticks(range(len(labels)), list(labels), rotation=35, ha="right", fontsize=8)
    axes.set_xticks(np.arange(len(labels) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(groups) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(
        f"Songs of a group with the band open, in %{more} (number of songs in brackets)",
        loc="left",
        fontsize=9,
        color=INK,
    )


def _percent(share: float) -> str:
    """Whole percent, but 0 and 100 only where they are exact."""
    if 0.0 < share < 1.0:
        return f"{min(max(round(100.0 * share), 1), 99)}"
    return f"{100.0 * share:.0f}"
