"""How all plots look."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neural_mastering.reporting.axes import FREQUENCY_TICKS_HZ

INK, MUTED, GRID = "#22242a", "#8a8f98", "#e4e6ea"
ACCENT, SECOND, THIRD = "#c2410c", "#1d4ed8", "#0f766e"


def new_figure(width_in: float = 8.0, height_in: float = 4.2) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, drawn without a display."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(MUTED)
    axes.tick_params(colors=INK, labelsize=9)
    return figure, axes


def log_frequency_axis(axes: Axes, low_hz: float = 20.0, high_hz: float = 20_000.0) -> None:
    """A log-frequency x axis with the usual round labels."""
    axes.set_xscale("log")
    axes.set_xlim(low_hz, high_hz)
    ticks = [t for t in FREQUENCY_TICKS_HZ if low_hz <= t <= high_hz]
    axes.set_xticks(ticks, [f"{t // 1000}k" if t >= 1000 else str(t) for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("Frequency (Hz)", color=INK)
