"""Tables as CSV files: a list of rows, each a dictionary by column."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


def read_rows(path: Path) -> list[dict[str, str]]:
    """All rows of a CSV file with a header."""
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def write_rows(
    path: Path, rows: Sequence[Mapping[str, object]], columns: Sequence[str] | None = None
) -> None:
    """Write rows with a header.

    Args:
        path: of the file; its folder must exist.
        rows: to write; cells that a row lacks stay empty.
        columns: to write, others are left out; by default every column of every row in order of appearance.
    """
    names = list(dict.fromkeys(key for row in rows for key in row)) if columns is None else columns
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
