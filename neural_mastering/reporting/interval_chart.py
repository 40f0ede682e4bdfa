"""Means with their intervals, one row a system."""

import math
from collections.abc import Sequence

from neural_mastering.reporting.axes import linear_axis, percent
from neural_mastering.reporting.markup import Html, number, tag


def intervals_chart(
    rows: Sequence[tuple[str, str, float, float, float, Sequence[float]]],
    title: str,
    unit: str,
    caption: str = "",
    zero: float | None = None,
    digits: int = 2,
) -> Html:
    """Means with intervals, one row a system, single songs as ticks.

    Args:
        rows: name, line class, mean, low, high, single values.
        title: of the chart.
        unit: of the values.
        caption: below it.
        zero: a value to mark with a line through all rows.
        digits: decimals of the mean, printed at the right.
    """
    values = [v for row in rows for v in (*row[2:5], *row[5]) if math.isfinite(v)] or [0.0, 1.0]
    if zero is not None:
        values.append(zero)
    low, high = min(values), max(values)
    pad = max((high - low) * 0.04, 1e-9 + abs(high) * 1e-3)
    x = linear_axis(low - pad, high + pad, unit, steps=4)
    lines = []
    for name, kind, mean, lo, hi, songs in rows:
        drawn = [
            tag("i", class_="tickmark", style=f"left:{percent(float(x.place(v)))}")
            for v in list(songs)[:200]
            if math.isfinite(v)
        ]
        if math.isfinite(lo) and math.isfinite(hi):
            a, b = float(x.place(lo)), float(x.place(hi))
            drawn.append(tag("i", class_="span", style=f"left:{percent(a)};width:{percent(b - a)}"))
        if math.isfinite(mean):
            drawn.append(tag("i", class_="dot", style=f"left:{percent(float(x.place(mean)))}"))
        lines.append(
            tag(
                "div",
                tag("span", name, class_="who"),
                tag("span", *drawn, class_="strip"),
                tag("b", number(mean, digits)),
                class_=f"row {kind}",
            )
        )
    ticks = [
        tag("span", label, style=f"left:{percent(float(x.place(value)))}") for value, label, _ in x.ticks
    ]
    mark = (
        None
        if zero is None
        else tag("i", class_="nought", style=f"left:{percent(float(x.place(zero)))}", aria_hidden="true")
    )
    scale = tag("div", tag("span"), tag("span", *ticks, mark, class_="strip"), class_="row scale")
    spoken = f"{title}, {unit}: " + "; ".join(
        f"{r[0]} {number(r[2], digits)} ({number(r[3], digits)} to {number(r[4], digits)})" for r in rows
    )
    return tag(
        "figure",
        tag("figcaption", tag("b", title), " ", tag("span", unit, class_="unit")),
        tag("div", *lines, scale, class_="rows"),
        tag("p", caption, class_="caption") if caption else None,
        class_="chart intervals",
        role="img",
        aria_label=spoken,
    )
