"""The tonal-balance picture: a song's third octaves within the corridors of a style."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from neural_mastering.reporting.style import ACCENT, GRID, INK, MUTED, SECOND, log_frequency_axis, new_figure

Levels = NDArray[np.floating]

QUARTILE_SIGMA, TENTH_SIGMA = 0.6745, 1.2816
"""Half of a normal distribution lies within ± the first, eight tenths within ± the second."""

_LEAST_SPAN_DB = 30.0


def tonal_balance(
    at_hz: Levels,
    usual_db: Levels,
    sd_db: Levels,
    song_db: Levels,
    song: str,
    among: str,
    regions: Sequence[tuple[str, float, float]] = (),
) -> Figure:
    """A song over the 10–90 % and 25–75 % corridors of a style.

    Args:
        at_hz: (band,).
        usual_db, sd_db: (band,) mean and standard deviation of the style; NaN where it says nothing.
        song_db: (band,) levels of the song; NaN where it has no sound.
        song: its name.
        among: the songs of the style, such as "rock songs".
        regions: name and edges in Hz, low to high; they are named along the top.
    """
    song, among = (name.replace("$", r"\$") for name in (song, among))  # else matplotlib reads a formula
    figure, axes = new_figure(9.0, 4.8)
    for sigma, alpha, label in (
        (TENTH_SIGMA, 0.16, "8 in 10 songs"),
        (QUARTILE_SIGMA, 0.30, "half of the songs"),
    ):
        axes.fill_between(
            at_hz,
            usual_db - sigma * sd_db,
            usual_db + sigma * sd_db,
            color=SECOND,
            alpha=alpha,
            linewidth=0.0,
            label=label,
        )
    axes.plot(at_hz, usual_db, color=SECOND, linewidth=1.0, linestyle="--", label=f"mean of {among}")
    axes.plot(at_hz, song_db, color=ACCENT, linewidth=2.2, label=song)
    log_frequency_axis(axes)
    values = np.concatenate([usual_db - 1.7 * sd_db, usual_db + 1.7 * sd_db, song_db])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (-_LEAST_SPAN_DB, 0.0)
    low = min(low, high - _LEAST_SPAN_DB)
    top = high + 0.10 * (high - low)
    axes.set_ylim(low - 1.0, top)
    for name, low_hz, high_hz in regions:
        for edge_hz in (low_hz, high_hz):
            axes.axvline(edge_hz, color=GRID, linewidth=1.2, zorder=0.5)
        middle_hz = float(np.sqrt(low_hz * high_hz))
        axes.text(middle_hz, top - 0.8, name, ha="center", va="top", fontsize=8, color=MUTED)
    axes.set_ylabel("Level at equal loudness (dB)", color=INK)
    axes.set_title(f"{song} among {among}", loc="left", color=INK, fontsize=11)
    axes.legend(frameon=False, fontsize=9, loc="lower left")
    return figure
