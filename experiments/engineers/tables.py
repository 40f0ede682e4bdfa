"""The study's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from experiments.engineers.scores import Score, Share
from experiments.engineers.study import Cell

Row = dict[str, str]


def rows_of(cells: Iterable[Cell]) -> list[dict[str, object]]:
    """A row for each cell, for a CSV file."""
    rows: list[dict[str, object]] = []
    for cell in cells:
        row: dict[str, object] = {
            "engineer": cell.engineer,
            "pairs": cell.pairs,
            "system": cell.system,
            "songs": cell.songs,
            "packages": cell.packages,
            "dependence": round(cell.dependence, 3),
        }
        for name in ("whole", "song_dependent"):
            share: Share = getattr(cell.score, name)
            row |= {f"{name}{end}": round(v, 4) for end, v in zip(("", "_low", "_high"), share, strict=True)}
        for name in ("curve_db", "loudness_lu", "plr_db", "lra_lu", "side_db"):
            row[name] = round(getattr(cell.score, name), 3)
        row["orders"] = " ".join(f"{share:.4f}" for share in cell.orders)
        rows.append(row)
    return rows


def cell_of(row: Mapping[str, str]) -> Cell:
    """A row of `rows_of` read back."""

    def share(name: str) -> Share:
        return Share(float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"]))

    numbers = [float(row[name]) for name in ("curve_db", "loudness_lu", "plr_db", "lra_lu", "side_db")]
    return Cell(
        row["engineer"],
        int(row["pairs"]),
        row["system"],
        int(row["songs"]),
        int(row["packages"]),
        float(row["dependence"]),
        Score(share("whole"), share("song_dependent"), *numbers),
        tuple(map(float, row["orders"].split())),
    )


def tone_table(cells: Sequence[Cell], pairs: int) -> list[Row]:
    """A line for each system, a column for each engineer: whole / song-dependent part of the tone move, in %."""
    lines: dict[str, Row] = {}
    for cell in cells:
        if cell.pairs == pairs:
            line = lines.setdefault(cell.system, {"system": cell.system})
            dependent = cell.score.song_dependent
            line[cell.engineer] = f"{_percent(cell.score.whole.value)} / {_percent(dependent.value)}"
    return _complete(lines)


def interval_table(cells: Sequence[Cell], system: str) -> list[Row]:
    """A line for each engineer, a column for each number of pairs: its interval (each order)."""
    lines: dict[str, Row] = {}
    for cell in cells:
        if cell.system == system:
            line = lines.setdefault(
                cell.engineer,
                {"engineer": cell.engineer, "differs between songs": f"{100.0 * cell.dependence:.0f} %"},
            )
            dependent, whole = cell.score.song_dependent, cell.score.whole
            shown = whole if dependent.value != dependent.value else dependent
            text = f"{_percent(shown.value)} [{_percent(shown.low)}, {_percent(shown.high)}]"
            if len(cell.orders) > 1:
                text += f" ({', '.join(map(_percent, cell.orders))})"
            line[str(cell.pairs)] = text
    return _complete(lines)


def level_table(cells: Sequence[Cell], pairs: int) -> list[Row]:
    """A line for each engineer and system: mean absolute errors of loudness, PLR, LRA and width."""
    lines = []
    for cell in cells:
        if cell.pairs == pairs:
            s = cell.score
            lines.append(
                {
                    "engineer": cell.engineer,
                    "system": cell.system,
                    "curve, dB RMS": f"{s.curve_db:.2f}",
                    "LUFS": f"{s.loudness_lu:.2f}",
                    "PLR": f"{s.plr_db:.2f}",
                    "LRA": f"{s.lra_lu:.2f}",
                    "width": f"{s.side_db:.2f}",
                }
            )
    return lines


def _percent(value: float) -> str:
    return "–" if value != value else f"{100.0 * value:.0f}"


def _complete(lines: dict[str, Row]) -> list[Row]:
    columns = list(dict.fromkeys(key for line in lines.values() for key in line))
    return [{key: line.get(key, "") for key in columns} for line in lines.values()]
