"""Tables: one list of rows, shown in the terminal and written as Markdown."""

from collections.abc import Mapping, Sequence

from rich.table import Table


def rich_table(rows: Sequence[Mapping[str, str]], title: str) -> Table:
    """A table for the terminal from rows of equal keys; the first column is a label."""
    table = Table(title=title, title_justify="left")
    for i, column in enumerate(rows[0]):
        table.add_column(column, justify="left" if i == 0 else "right", no_wrap=i == 0)
    for row in rows:
        table.add_row(*row.values())
    return table


def markdown_table(rows: Sequence[Mapping[str, str]]) -> str:
    """The same as Markdown, with a final newline."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "|".join("---" if i == 0 else "--:" for i in range(len(columns))) + "|"]
    lines += ["| " + " | ".join(row.values()) + " |" for row in rows]
    return "\n".join(lines) + "\n"
