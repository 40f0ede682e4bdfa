"""Plots of equaliser curves and of the bands that make them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from neural_mastering.reporting.style import ACCENT, INK, MUTED, SECOND, log_frequency_axis, new_figure

Curve = NDArray[np.floating]


def eq_curves(
    at_hz: Curve, curves_db: Curve, title: str, wanted_db: Curve | None = None, noun: str = "songs"
) -> Figure:
    """Total responses of several songs, their mean, and the mean of what was wanted.

    Args:
        at_hz: (frequency,).
        curves_db: (song, frequency), true total responses with the broadband gain left out.
        title: of the plot.
        noun: what the curves belong to.
        wanted_db: (frequency,), such as the mean spectral difference between targets and inputs.
    """
    figure, axes = new_figure()
    for i, curve in enumerate(curves_db):
        axes.plot(
            at_hz,
            curve,
            color=MUTED,
            linewidth=0.8,
            alpha=0.6,
            label=noun if i == 0 and len(curves_db) > 1 else None,
        )
    axes.plot(
        at_hz,
        curves_db.mean(axis=0),
        color=ACCENT,
        linewidth=2.2,
        label=f"mean of {len(curves_db)} {noun}" if len(curves_db) > 1 else "response",
    )
    if wanted_db is not None:
        axes.plot(
            at_hz, wanted_db, color=SECOND, linewidth=1.4, linestyle="--", label="mean spectral difference"
        )
    axes.axhline(0.0, color=INK, linewidth=0.8)
    log_frequency_axis(axes)
    reach = max(
        3.0,
        float(np.abs(curves_db).max()) * 1.1,
        *(() if wanted_db is None else (float(np.abs(wanted_db).max()) * 1.1,)),
    )
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("Gain (dB)", color=INK)
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    axes.legend(frameon=False, fontsize=9)
    return figure


def open_bands(open_share: Curve, labels: Sequence[str], counts: Sequence[int], title: str) -> Figure:
    """How often each band is open over songs.

    Args:
        open_share: (band,) in 0…1.
        labels: one for each band, such as "low shelf" or "peak 250 Hz".
        counts: open bands of each song.
        title: of the plot.
    """
    figure, axes = new_figure()
    axes.bar(range(len(labels)), open_share, color=ACCENT, width=0.7)
    axes.set_xticks(range(len(labels)), list(labels), rotation=30, ha="right")
    axes.set_ylim(0.0, 1.05)
    axes.set_ylabel("Share of segments with the band open", color=INK)
    mean = sum(counts) / len(counts)
    axes.set_title(
        f"{title}: {mean:.1f} bands open on average ({min(counts)} to {max(counts)})",
        loc="left",
        color=INK,
        fontsize=11,
    )
    return figure
