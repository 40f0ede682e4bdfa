"""The rows of the study and their file."""

from pathlib import Path
from typing import NamedTuple

from experiments.common.csv_files import read_rows, write_rows


class Row(NamedTuple):
    """What a system made of one song with one mistake.

    Attributes:
        package, song, condition, system: names.
        before_db, after_db: RMS of the difference to the finished song less its mean, over the third octaves from
            50 Hz to 12.5 kHz that hold sound in it.
        move_db: the same of the difference between output and input.
    """

    package: str
    song: str
    condition: str
    system: str
    before_db: float
    after_db: float
    move_db: float


def read(path: Path) -> list[Row]:
    """Rows of an earlier run."""
    if not path.exists():
        return []
    return [
        Row(
            row["package"],
            row["song"],
            row["condition"],
            row["system"],
            float(row["before_db"]),
            float(row["after_db"]),
            float(row["move_db"]),
        )
        for row in read_rows(path)
    ]


def write(path: Path, rows: list[Row]) -> None:
    """All rows, four decimals."""
    cells = [[*row[:4], *(f"{value:.4f}" for value in row[4:])] for row in rows]
    write_rows(path, [dict(zip(Row._fields, line, strict=True)) for line in cells])
