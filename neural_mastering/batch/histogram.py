"""A histogram as HTML and SVG, in the frame of the other charts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neural_mastering.reporting.axes import linear_axis, percent
from neural_mastering.reporting.markup import Html, join, number, tag

_WIDTH, _HEIGHT = 1000.0, 500.0
_LEAST_BINS, _MOST_BINS = 8, 48


def histogram(values: NDArray[np.float64], title: str, unit: str, caption: str = "") -> Html:
    """How many songs have which value; the outermost bins hold what lies outside the 0.5th to 99.5th percentile.

    Args:
        values: (song,) what is not finite is left out and counted in the caption.
        title, unit: of the quantity; the unit may be empty.
        caption: below the chart.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Html("")
    low, high = (float(v) for v in np.percentile(finite, (0.5, 99.5)))
    if high - low < 1e-6:
        low, high = low - 0.5, high + 0.5
    bins = min(_MOST_BINS, max(_LEAST_BINS, round(2.0 * finite.size**0.5)))
    counts, edges = np.histogram(np.clip(finite, low, high), bins=bins, range=(low, high))
    x = linear_axis(low, high, unit, signed=False)
    y = linear_axis(0.0, 1.05 * float(counts.max()), "Songs", steps=4)
    bars = [
        _bar(float(x.place(a)), float(x.place(b)), float(y.place(count)))
        for count, a, b in zip(counts, edges[:-1], edges[1:], strict=True)
        if count
    ]
    grid = [_line(0.0, float(y.place(value)), 1.0) for value, _, _ in y.ticks]
    labels = [
        tag("span", label, class_="tx", style=f"left:{percent(float(x.place(value)))}")
        for value, label, _ in x.ticks
    ]
    labels += [
        tag("span", label, class_="ty", style=f"bottom:{percent(float(y.place(value)))}")
        for value, label, _ in y.ticks
    ]
    median = f"{number(float(np.median(finite)), 1)} {unit}".strip()
    said = f"{title}: {finite.size} songs, median {median}"
    missing = values.size - finite.size
    text = f"Median {median}, {_range(finite)}." + (f" {missing} songs without a value." if missing else "")
    svg = tag(
        "svg",
        tag("g", *grid, class_="grid"),
        join(bars),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        preserveAspectRatio="none",
        aria_hidden="true",
        focusable="false",
    )
    return tag(
        "figure",
        tag("figcaption", tag("b", title)),
        tag(
            "div",
            tag("span", y.label, class_="ylabel"),
            tag("div", svg, *labels, class_="plot"),
            tag("span", unit or title, class_="xlabel"),
            class_="frame",
            role="img",
            aria_label=said,
        ),
        tag("p", f"{text} {caption}".strip(), class_="caption"),
        class_="chart",
    )


def _range(values: NDArray[np.float64]) -> str:
    low, high = (number(float(v), 1) for v in np.percentile(values, (5, 95)))
    return f"5 to 95 %: {low} to {high}"


def _bar(left: float, right: float, height: float) -> Html:
    a, b, top = left * _WIDTH, right * _WIDTH, (1.0 - height) * _HEIGHT
    points = f"{a:.1f},{_HEIGHT:g} {a:.1f},{top:.1f} {b:.1f},{top:.1f} {b:.1f},{_HEIGHT:g}"
    return tag("polygon", class_="area c-result-0", style="fill-opacity:0.7", points=points)


def _line(left: float, height: float, right: float) -> Html:
    y = (1.0 - height) * _HEIGHT
    return tag("line", x1=f"{left * _WIDTH:.1f}", y1=f"{y:.1f}", x2=f"{right * _WIDTH:.1f}", y2=f"{y:.1f}")
