"""The summary tables of an evaluation: systems × metrics, pictures of the intervals, paired differences."""

import math
from collections.abc import Sequence

from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.eval_data import Cell, Metric, SummaryTable, SystemEntry
from neural_mastering.reporting.html_table import number_cell, scrolling
from neural_mastering.reporting.interval_chart import intervals_chart
from neural_mastering.reporting.markup import Html, join, number, tag

_KIND_WORDS = {"oracle": "oracle", "peer": "other tool"}


def summary_section(
    table: SummaryTable, systems: Sequence[SystemEntry], colours: Colours, unfolded: bool = True
) -> Html:
    """One summary table with its charts, which stand open where `unfolded` says so, and its details."""
    present = [s for s in systems if any((s.key, m.key) in table.cells for m in table.metrics)]
    counted = f"{table.songs} songs in {table.groups} groups."
    return tag(
        "section",
        tag("h2", table.title),
        tag(
            "p", f"Mean over songs and its 95 % interval (bootstrap over groups). {counted}", class_="caption"
        ),
        _means(table, present, colours),
        tag(
            "p",
            "★ best mean; oracles, which have heard the target, and metrics without a better side take no part.",
            class_="caption",
        ),
        tag("p", table.caption, class_="caption") if table.caption else None,
        _notes(present),
        tag(
            "details",
            tag("summary", "Charts: means, intervals and single songs"),
            tag("div", *(_chart(metric, table, present, colours) for metric in table.metrics), class_="two"),
            class_="more",
            open=unfolded,
        ),
        tag(
            "details",
            tag("summary", "Medians, paired differences and songs improved"),
            join(_details(metric, table, present) for metric in table.metrics),
            class_="more",
        ),
        _meanings(table.metrics),
    )


def heading(metric: Metric) -> Html:
    """A metric's name with unit and direction."""
    arrow = {True: "↑", False: "↓", None: ""}[metric.higher_is_better]
    spoken = {True: "higher is better", False: "lower is better", None: None}[metric.higher_is_better]
    unit = f" ({metric.unit})" if metric.unit else ""
    return join(
        [metric.name, unit, " " if arrow else None, tag("span", arrow, title=spoken) if arrow else None]
    )


def system_name(system: SystemEntry, notes: Sequence[SystemEntry] = ()) -> Html:
    """A system's name with its kind and the number of its footnote."""
    mark = next((i for i, s in enumerate((s for s in notes if s.note), start=1) if s.key == system.key), None)
    kind = _KIND_WORDS.get(system.kind)
    return join(
        [
            system.name,
            tag("sup", mark) if mark else None,
            tag("span", kind, class_="tagged") if kind else None,
        ]
    )


def best_system(metric: Metric, table: SummaryTable, systems: Sequence[SystemEntry]) -> str | None:
    """Key of the system with the best mean, oracles left out; None for a metric without direction."""
    if metric.higher_is_better is None:
        return None
    found = [
        (table.cells[s.key, metric.key].mean, s.key)
        for s in systems
        if s.kind != "oracle" and (s.key, metric.key) in table.cells
    ]
    known = [pair for pair in found if math.isfinite(pair[0])]
    if not known:
        return None
    return (max(known) if metric.higher_is_better else min(known))[1]


def _notes(systems: Sequence[SystemEntry]) -> Html | None:
    noted = [s for s in systems if s.note]
    items = [tag("li", tag("sup", i), f" {s.name}: {s.note}") for i, s in enumerate(noted, start=1)]
    return tag("ul", *items, class_="plain caption") if items else None


def _meanings(metrics: Sequence[Metric]) -> Html | None:
    items = [tag("li", tag("b", m.name), f": {m.description}") for m in metrics if m.description]
    if not items:
        return None
    described = tag("ul", *items, class_="plain caption")
    return tag("details", tag("summary", "What the metrics say"), described, class_="more")


def _means(table: SummaryTable, systems: Sequence[SystemEntry], colours: Colours) -> Html:
    head = [
        tag("th", "System", scope="col"),
        *(tag("th", heading(m), scope="col") for m in table.metrics),
    ]
    best = {m.key: best_system(m, table, systems) for m in table.metrics}
    rows = []
    for system in systems:
        swatch = tag("i", class_=f"swatch {colour_of(system, colours)}", aria_hidden="true")
        cells = []
        for metric in table.metrics:
            cell = table.cells.get((system.key, metric.key))
            if cell is None:
                cells.append(number_cell(None))
                continue
            interval = f"{number(cell.low, metric.digits)} … {number(cell.high, metric.digits)}"
            mean = number(cell.mean, metric.digits)
            shown = tag("span", mean, class_="best") if best[metric.key] == system.key else mean
            exact = repr(float(cell.mean)) if math.isfinite(cell.mean) else None
            small = interval if math.isfinite(cell.low) else None
            cells.append(tag("td", shown, tag("small", small) if small else None, data_value=exact))
        name = tag("th", swatch, system_name(system, systems), scope="row")
        rows.append(tag("tr", name, *cells, class_="oracle" if system.kind == "oracle" else None))
    body = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="sortable wide")
    return scrolling(body)


def _chart(metric: Metric, table: SummaryTable, systems: Sequence[SystemEntry], colours: Colours) -> Html:
    rows = []
    for system in systems:
        cell = table.cells.get((system.key, metric.key))
        if cell is not None:
            kind = colour_of(system, colours)
            rows.append((system.name, kind, cell.mean, cell.low, cell.high, cell.distribution))
    direction = {True: "higher is better", False: "lower is better", None: "no better side"}
    unit = ", ".join(part for part in (metric.unit, direction[metric.higher_is_better]) if part)
    return intervals_chart(rows, metric.name, unit, digits=metric.digits)


def _details(metric: Metric, table: SummaryTable, systems: Sequence[SystemEntry]) -> Html:
    base = table.best_baseline.get(metric.key, "")
    against = f"Difference to {base}" if base else "Difference to the best baseline"
    titles = ("System", "Mean", "Median", "95 % interval", against, "95 % interval", "Songs improved")
    rows = []
    for system in systems:
        cell = table.cells.get((system.key, metric.key))
        if cell is None:
            continue
        rows.append(
            tag(
                "tr",
                tag("th", system_name(system), scope="row"),
                number_cell(cell.mean, metric.digits),
                number_cell(cell.median, metric.digits),
                _interval(cell.low, cell.high, metric.digits),
                _difference(cell, metric),
                _interval(cell.difference_low, cell.difference_high, metric.digits, signed=True),
                tag("td", "–" if cell.improved is None else f"{cell.improved} of {cell.songs}"),
                class_="oracle" if system.kind == "oracle" else None,
            )
        )
    head = tag("tr", *(tag("th", title, scope="col") for title in titles))
    return tag(
        "div",
        tag("h3", heading(metric)),
        scrolling(tag("table", tag("thead", head), tag("tbody", *rows), class_="wide")),
    )


def _difference(cell: Cell, metric: Metric) -> Html:
    """The paired difference, coloured and named where its interval leaves out 0."""
    if cell.difference is None:
        return number_cell(None)
    low, high = cell.difference_low, cell.difference_high
    sure = low is not None and high is not None and (low > 0 or high < 0)
    if not sure or metric.higher_is_better is None:
        return number_cell(cell.difference, metric.digits, signed=True)
    better = (cell.difference > 0) == metric.higher_is_better
    return tag(
        "td",
        number(cell.difference, metric.digits, signed=True),
        " better" if better else " worse",
        class_="gain" if better else "loss",
        data_value=repr(float(cell.difference)),
    )


def _interval(low: float | None, high: float | None, digits: int, signed: bool = False) -> Html:
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return tag("td", "–")
    return tag("td", f"{number(low, digits, signed)} … {number(high, digits, signed)}")


def colour_of(system: SystemEntry, colours: Colours) -> str:
    """The line class of a system; the identity has the colour of the input."""
    if system.kind == "identity":
        return colours.class_of(system.name, "before")
    return colours.class_of(system.name, "oracle" if system.kind == "oracle" else "result")
