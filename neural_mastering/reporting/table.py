"""Tables: one list of rows, shown in the terminal and written as Markdown."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

PLAIN_WIDTH = 120
"""Columns of text where there is no terminal to ask."""


def print_table(rows: Sequence[Mapping[str, str]], title: str, footnote: str = "") -> None:
    """Print rows of equal keys; the first column is a label."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(rows[0]):
        table.add_column(column, justify="left" if i == 0 else "right")
    for row in rows:
        table.add_row(*row.values())
    console.print(table)
    if footnote:
        console.print(footnote, highlight=False)


def markdown_table(rows: Sequence[Mapping[str, str]]) -> str:
    """The same as Markdown, with a final newline."""
    columns = list(rows[0])
    lines = [
        "| " + " | ".join(columns) + " |",
        "|" + "|".join("---" if i == 0 else "--:" for i in range(len(columns))) + "|",
    ]
    lines += ["| " + " | ".join(row.values()) + " |" for row in rows]
    return "\n".join(lines) + "\n"
