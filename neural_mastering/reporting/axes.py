"""Axes of the charts: where a value lies between 0 and 1, and round labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neural_mastering.reporting.markup import duration, frequency, number

FREQUENCY_TICKS_HZ = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)

_MAJOR_HZ = (20, 100, 1_000, 10_000)


@dataclass(frozen=True)
class Axis:
    """One axis: `place` maps values to 0…1 from left or bottom."""

    low: float
    high: float
    ticks: tuple[tuple[float, str, bool], ...]  # value, label, kept when there is little room
    label: str
    log: bool = False

    def place(self, values: ArrayLike) -> NDArray[np.floating]:
        """Positions of values, 0 at the low end and 1 at the high end."""
        x = np.asarray(values, dtype=float)
        if self.log:
            return np.log(np.maximum(x, 1e-9) / self.low) / math.log(self.high / self.low)
        return (x - self.low) / (self.high - self.low)


def frequency_axis(low_hz: float = 20.0, high_hz: float = 20_000.0) -> Axis:
    """A logarithmic axis in Hz with labels such as "100" and "1k"."""
    ticks = tuple(
        (float(f), frequency(f).replace(" kHz", "k").replace(" Hz", ""), f in _MAJOR_HZ)
        for f in FREQUENCY_TICKS_HZ
        if low_hz <= f <= high_hz
    )
    return Axis(low_hz, high_hz, ticks, "Frequency (Hz)", log=True)


def time_axis(last_s: float) -> Axis:
    """From 0 to `last_s` (0.1 s or more), with about eight labels in seconds, or in minutes and seconds."""
    last_s = max(last_s, 0.1)
    step = next((s for s in (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200) if last_s / s <= 8), 3600)
    count = int(last_s / step + 1e-9)
    ticks = tuple(
        (i * step, duration(i * step) if step >= 5 else f"{i * step:g}", i % 2 == 0) for i in range(count + 1)
    )
    unit = "min:s" if step >= 5 else "s"
    if step >= 5:
        ticks = tuple((v, f"0:{v:02.0f}" if v < 10 else label, kept) for v, label, kept in ticks)
    return Axis(0.0, last_s, ticks, f"Time ({unit})")


def level_axis(groups: Sequence[ArrayLike], label: str, least_span: float, deepest: float = 1e9) -> Axis:
    """Around all finite values; what lies further than `deepest` below the highest is cut off."""
    values = np.concatenate([as_array(g) for g in groups] or [np.zeros(0)])
    values = values[np.isfinite(values)]
    high = float(values.max()) if values.size else 0.0
    low = max(float(values.min()) if values.size else -least_span, high - deepest)
    middle, span = (high + low) / 2.0, max(high - low, least_span)
    return linear_axis(middle - 0.56 * span, middle + 0.56 * span, label)


def linear_axis(low: float, high: float, label: str, signed: bool = False, steps: int = 6) -> Axis:
    """A linear axis with about `steps` round labels; `signed` writes a + before positive ones."""
    raw = (high - low) / steps
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * 0.999)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first = math.ceil(low / step - 1e-9)
    ticks = tuple(
        (i * step, number(i * step, digits, signed=signed and i != 0), True)
        for i in range(first, math.floor(high / step + 1e-9) + 1)
    )
    return Axis(low, high, ticks, label)


def as_array(values: ArrayLike | None) -> NDArray[np.floating]:
    """Values as an array of floats; None gives an empty one."""
    return np.asarray([] if values is None else values, dtype=float)


def percent(share: float) -> str:
    """A length for a style sheet: 0.25 gives "25.00%"."""
    return f"{100.0 * share:.2f}%"
