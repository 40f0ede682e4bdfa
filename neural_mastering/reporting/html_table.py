"""Tables of a page: numbers aligned, with the exact value beside the rounded one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from neural_mastering.reporting.markup import Html, number, tag
from neural_mastering.reporting.report_data import Table


def plain_table(table: Table) -> Html:
    """A `Table` with its title and caption, sortable by its headings."""
    text = [all(not isinstance(row[i], int | float) for row in table.rows) for i in range(len(table.columns))]
    digits = [table.digits] * len(table.columns) if isinstance(table.digits, int) else list(table.digits)
    rows = []
    for i, row in enumerate(table.rows):
        cells = [tag("th", "–" if row[0] is None else row[0], scope="row")]
        cells += [
            text_cell(value) if text[j] else number_cell(value, digits[j])
            for j, value in enumerate(row[1:], start=1)
        ]
        rows.append(tag("tr", *cells, class_="strong" if i in table.highlight else None))
    head = [
        tag("th", column, scope="col", class_="text" if text[j] else None)
        for j, column in enumerate(table.columns)
    ]
    return tag(
        "div",
        tag("h3", table.title) if table.title else None,
        scrolling(tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="sortable")),
        tag("p", table.caption, class_="caption") if table.caption else None,
    )


def number_cell(value: Any, digits: int = 2, signed: bool = False, small: object = None) -> Html:
    """A cell with a rounded number, its exact value as `data-value`, and a second, smaller line."""
    if isinstance(value, str):
        return tag("td", value)
    exact = None if value is None or not math.isfinite(value) else repr(float(value))
    shown = (
        str(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else number(value, digits, signed)
    )
    return tag("td", shown, tag("small", small) if small else None, data_value=exact)


def text_cell(value: object) -> Html:
    """A cell of text, aligned left."""
    return tag("td", "–" if value is None else value, class_="text")


def scrolling(table: Html) -> Html:
    """A table that scrolls by itself where the window is narrower."""
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="Table")


def facts(items: Mapping[str, object]) -> Html:
    """Labels and texts; empty ones are left out."""
    pairs = [piece for label, text in items.items() if text for piece in (tag("dt", label), tag("dd", text))]
    return tag("dl", *pairs)


def bullet_list(sentences: Sequence[str]) -> Html:
    """Sentences, one a line."""
    return tag("ul", *(tag("li", sentence) for sentence in sentences), class_="plain")


def flatten(values: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Nested controls as (path, text): `eq › 1 › frequency_hz`, numbers with up to six digits."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        path = f"{above} › {key}" if above else str(key)
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, Mapping):
            rows += flatten(value, path)
        elif isinstance(value, str) or not isinstance(value, Sequence):
            rows.append((path, _short(value)))
        elif any(isinstance(v, Mapping) for v in value):
            rows += flatten({str(i): v for i, v in enumerate(value, start=1)}, path)
        else:
            rows.append((path, ", ".join(_short(v) for v in value)))
    return rows


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}".replace("-", "−")
    return "–" if value is None else str(value)
