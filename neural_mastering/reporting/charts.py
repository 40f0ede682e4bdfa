"""Charts as inline HTML and SVG: lines in an SVG that stretches, labels as text that keeps its size.

Colours come from the classes of the page's style sheet, so the charts follow light and dark.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neural_mastering.reporting.axes import (
    Axis,
    as_array,
    frequency_axis,
    level_axis,
    linear_axis,
    percent,
    time_axis,
)
from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.markup import Html, join, number, tag
from neural_mastering.reporting.report_data import BandLike, Chart, ChartLine, EqCurve

_WIDTH, _HEIGHT = 1000.0, 500.0  # units of the stretched drawing


def spectra_chart(
    chart: Chart, colours: Colours, title: str, caption: str = "", against: bool = False
) -> Html:
    """Levels in dB over third octaves; with `against`, differences around a line at 0 dB."""
    x = frequency_axis()
    if against:
        drawn_values = [*(line.values for line in chart.lines), *(chart.corridor or ())]
        finite = np.concatenate([as_array(values) for values in drawn_values] or [np.zeros(1)])
        reach = max(3.0, 1.1 * float(np.abs(finite[np.isfinite(finite)]).max(initial=0.0)))
        y = linear_axis(-reach, reach, "Difference (dB)", signed=True)
        drawn = join([_corridor(chart, x, y), _horizontal(0.5, "zero"), _lines(chart, x, y, colours)])
        return _figure(title, x, y, drawn, chart.lines, colours, caption)
    y = level_axis(
        [*(line.values for line in chart.lines), *(chart.corridor or ())], "Level (dB)", least_span=20.0
    )
    drawn = join([_corridor(chart, x, y), _lines(chart, x, y, colours)])
    return _figure(title, x, y, drawn, chart.lines, colours, caption)


def loudness_chart(
    chart: Chart,
    colours: Colours,
    title: str,
    target_lufs: float | None = None,
    excerpt_s: tuple[float, float] | None = None,
    caption: str = "",
) -> Html:
    """Short-term loudness over time, with the target as a line and the players' excerpt shaded."""
    x = time_axis(_last_time(chart))
    extra = [] if target_lufs is None else [[target_lufs]]
    y = level_axis([*(line.values for line in chart.lines), *extra], "LUFS", least_span=6.0, deepest=24.0)
    shaded = excerpt_s is not None and excerpt_s[1] - excerpt_s[0] < 0.98 * x.high
    drawn = [_excerpt(excerpt_s, x)] if excerpt_s and shaded else []
    caption += " Shaded: the excerpt of the player." if shaded else ""
    legend = list(chart.lines)
    if target_lufs is not None:
        drawn.append(_horizontal(float(y.place(target_lufs)), "goal"))
        legend.append(ChartLine(f"target {number(target_lufs)} LUFS", [], role="target"))
    drawn.append(_lines(chart, x, y, colours))
    head = tag("i", class_="playhead", hidden=True, data_last_s=f"{x.high:.3f}") if excerpt_s else None
    dashed = target_lufs is not None
    return _figure(title, x, y, join(drawn), legend, colours, caption, over=head, dashed=dashed)


def course_chart(chart: Chart, colours: Colours, title: str, label: str, caption: str = "") -> Html:
    """A quantity in dB over time; `label` names the axis."""
    x = time_axis(_last_time(chart))
    y = level_axis([line.values for line in chart.lines], label, least_span=12.0, deepest=60.0)
    return _figure(title, x, y, _lines(chart, x, y, colours), chart.lines, colours, caption)


def difference_chart(chart: Chart, colours: Colours, title: str, caption: str = "") -> Html:
    """Differences in dB over time, around a line at 0 dB."""
    x = time_axis(_last_time(chart))
    finite = np.concatenate([as_array(line.values) for line in chart.lines] or [np.zeros(1)])
    reach = max(1.0, 1.1 * float(np.abs(finite[np.isfinite(finite)]).max(initial=0.0)))
    y = linear_axis(-reach, reach, "Difference (dB)", signed=True)
    drawn = join([_horizontal(0.5, "zero"), _lines(chart, x, y, colours)])
    return _figure(title, x, y, drawn, chart.lines, colours, caption)


def reduction_chart(
    reductions: Sequence[ChartLine], duration_s: float, colours: Colours, title: str, caption: str = ""
) -> Html:
    """Gain reduction over time, drawn downwards from 0 dB; lines hold their times in `at`."""
    x = time_axis(duration_s)
    deepest = max((float(np.max(np.asarray(r.values), initial=0.0)) for r in reductions), default=0.0)
    y = linear_axis(-max(1.5, deepest * 1.08), 0.0, "Gain change (dB)")
    drawn = []
    for line in reductions:
        px, py = x.place(as_array(line.at)), y.place(-as_array(line.values))
        points = _points(np.r_[px[:1], px, px[-1:]], np.r_[1.0, py, 1.0]) if px.size else ""
        kind = colours.class_of(line.name, line.role)
        drawn.append(tag("polygon", class_=f"area {kind}", points=points))
        drawn.append(tag("polyline", class_=f"line {kind}", points=_points(px, py)))
    return _figure(title, x, y, join(drawn), reductions, colours, caption)


def eq_chart(eq: EqCurve, title: str, colour: str = "c-result-0", caption: str = "") -> Html:
    """The total response with each band faint behind it; bands are numbered as in `numbered_bands`."""
    x = frequency_axis()
    total = as_array(eq.total_db)
    parts = [] if eq.bands_db is None else list(np.atleast_2d(as_array(eq.bands_db)))
    reach = max(
        3.0, *(float(np.abs(curve[np.isfinite(curve)]).max(initial=0.0)) for curve in (total, *parts))
    )
    y = linear_axis(-reach * 1.12, reach * 1.12, "Gain (dB)", signed=True)
    px = x.place(as_array(eq.at_hz))
    drawn = [_horizontal(float(y.place(0.0)), "zero")]
    for part in parts:
        py = y.place(part)
        drawn.append(
            tag(
                "polygon",
                class_=f"area {colour}",
                points=_points(np.r_[px[:1], px, px[-1:]], np.r_[y.place(0.0), py, y.place(0.0)]),
            )
        )
    drawn.append(tag("polyline", class_=f"line strong {colour}", points=_points(px, y.place(total))))
    marks = []
    for i, band in enumerate(numbered_bands(eq.bands), start=1):
        left = float(x.place(band.frequency_hz))
        level = float(np.interp(math.log(band.frequency_hz), np.log(as_array(eq.at_hz)), total))
        if 0.0 <= left <= 1.0:
            marks.append(
                tag(
                    "span",
                    i,
                    class_=f"mark {colour}",
                    style=_at(left, float(y.place(level))),
                    aria_hidden="true",
                )
            )
    line = [ChartLine("total response", total)]
    return _figure(title, x, y, join(drawn), line, Colours(), caption, over=join(marks), legend=False)


def numbered_bands(bands: Sequence[BandLike]) -> list[BandLike]:
    """Bands from low to high, as the chart and the table number them."""
    return sorted(bands, key=lambda band: band.frequency_hz)


def _figure(
    title: str,
    x: Axis,
    y: Axis,
    drawn: Html,
    lines: Sequence[ChartLine],
    colours: Colours,
    caption: str,
    over: Html | None = None,
    legend: bool = True,
    dashed: bool = False,
) -> Html:
    grid, labels = [], []
    for value, label, kept in x.ticks:
        left = float(x.place(value))
        grid.append(_svg_line(left, 0.0, left, 1.0))
        labels.append(tag("span", label, class_="tx" if kept else "tx minor", style=f"left:{percent(left)}"))
    for value, label, _ in y.ticks:
        height = float(y.place(value))
        grid.append(_svg_line(0.0, height, 1.0, height))
        labels.append(tag("span", label, class_="ty", style=f"bottom:{percent(height)}"))
    names = [
        tag(
            "li",
            tag(
                "i",
                class_=colours.class_of(line.name, line.role)
                + (" dashed" if dashed and line is lines[-1] else ""),
            ),
            line.name,
        )
        for line in lines
    ]
    spoken = f"{title}. {y.label} over {x.label.lower()}"
    if legend:
        spoken += ": " + ", ".join(line.name for line in lines)
    svg = tag(
        "svg",
        tag("g", *grid, class_="grid"),
        drawn,
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        preserveAspectRatio="none",
        aria_hidden="true",
        focusable="false",
    )
    return tag(
        "figure",
        tag("figcaption", tag("b", title), tag("ul", *names, class_="legend") if legend else None),
        tag(
            "div",
            tag("span", y.label, class_="ylabel"),
            tag("div", svg, over, *labels, class_="plot"),
            tag("span", x.label, class_="xlabel"),
            class_="frame",
            role="img",
            aria_label=spoken,
        ),
        tag("p", caption, class_="caption") if caption else None,
        class_="chart",
    )


def _lines(chart: Chart, x: Axis, y: Axis, colours: Colours) -> Html:
    drawn = []
    for line in chart.lines:
        px = x.place(as_array(chart.at if line.at is None else line.at))
        py, kind = y.place(as_array(line.values)), colours.class_of(line.name, line.role)
        for part in _unbroken(px, py):
            drawn.append(tag("polyline", class_=f"line {kind}", points=_points(px[part], py[part])))
    return join(drawn)


def _corridor(chart: Chart, x: Axis, y: Axis) -> Html:
    """The shaded range behind the lines."""
    if chart.corridor is None:
        return join([])
    px = x.place(as_array(chart.at))
    low, high = (y.place(as_array(end)) for end in chart.corridor)
    good = np.isfinite(px) & np.isfinite(low) & np.isfinite(high)
    points = _points(np.r_[px[good], px[good][::-1]], np.r_[low[good], high[good][::-1]])
    return tag("polygon", class_="area c-target", points=points)


def _unbroken(px: NDArray[np.floating], py: NDArray[np.floating]) -> list[slice]:
    """Runs of points with numbers."""
    good = np.isfinite(px) & np.isfinite(py)
    edges = np.flatnonzero(np.diff(np.r_[0, good.astype(int), 0]))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _excerpt(excerpt_s: tuple[float, float], x: Axis) -> Html:
    a, b = (min(max(float(x.place(t)), 0.0), 1.0) for t in excerpt_s)
    return tag(
        "rect", class_="excerpt", x=f"{a * _WIDTH:.1f}", y="0", width=f"{(b - a) * _WIDTH:.1f}", height="500"
    )


def _horizontal(height: float, kind: str) -> Html:
    return _svg_line(0.0, height, 1.0, height, kind)


def _svg_line(x1: float, y1: float, x2: float, y2: float, kind: str | None = None) -> Html:
    x1, x2, y1, y2 = x1 * _WIDTH, x2 * _WIDTH, (1.0 - y1) * _HEIGHT, (1.0 - y2) * _HEIGHT
    return tag("line", class_=kind, x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}")


def _points(px: NDArray[np.floating], py: NDArray[np.floating]) -> str:
    # a little outside is cut by the drawing's edge, far outside would only cost digits
    px, py = np.clip(px, -0.2, 1.2), np.clip(py, -1.0, 2.0)
    return " ".join(f"{a * _WIDTH:.1f},{(1.0 - b) * _HEIGHT:.1f}" for a, b in zip(px, py, strict=True))


def _at(left: float, bottom: float) -> str:
    return f"left:{percent(left)};bottom:{percent(bottom)}"


def _last_time(chart: Chart) -> float:
    ends = [as_array(chart.at if line.at is None else line.at) for line in chart.lines]
    return max((float(e[-1]) for e in ends if e.size), default=1.0)
