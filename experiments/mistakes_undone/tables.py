"""The tables of the study, from its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from experiments.common.mistakes import CONDITIONS, FINISHED
from experiments.common.scores import removed, removed_interval, share_worse, worst_tenth
from experiments.mistakes_undone.rows import Row
from neural_mastering.dsp.third_octaves import Float64s

PLAIN = "plain@"


def by_condition(rows: Iterable[Row]) -> dict[str, dict[str, dict[tuple[str, str], Row]]]:
    """Rows by condition, system and (package, song)."""
    found: dict[str, dict[str, dict[tuple[str, str], Row]]] = {}
    for row in rows:
        found.setdefault(row.condition, {}).setdefault(row.system, {})[row.package, row.song] = row
    return found


def mistakes_table(rows: Iterable[Row]) -> list[dict[str, str]]:
    """A line for each mistake and system: energy removed, songs worse, worst tenth, against the plain posterior."""
    held, lines = by_condition(rows), []
    for condition in CONDITIONS:
        if condition == FINISHED or condition.name not in held:
            continue
        systems = held[condition.name]
        for name, songs in systems.items():
            lines.append({"mistake": condition.name, "system": name} | _cells(songs, systems, name))
    return lines


def summary_table(rows: Iterable[Row]) -> list[dict[str, str]]:
    """A line for each system, a column for each mistake: energy removed / songs made worse."""
    lines: dict[str, dict[str, str]] = {}
    for cell in mistakes_table(rows):
        line = lines.setdefault(cell["system"], {"system": cell["system"]})
        line[cell["mistake"]] = f"{cell['removed'].partition(' [')[0]} / {cell['worse']}"
    columns = list(dict.fromkeys(key for line in lines.values() for key in line))
    return [{key: line.get(key, "") for key in columns} for line in lines.values()]


def finished_table(rows: Iterable[Row]) -> list[dict[str, str]]:
    """A line for each system: how far it moves finished songs."""
    held, lines = by_condition(rows).get(FINISHED.name, {}), []
    for name, songs in held.items():
        moves = np.array([row.move_db for row in songs.values()])
        lines.append(
            {
                "system": name,
                "songs": str(len(moves)),
                "mean move, dB RMS": f"{moves.mean():.2f}",
                "90 %": f"{np.quantile(moves, 0.9):.2f}",
                "largest": f"{moves.max():.2f}",
                "moved by > 0.8 dB": f"{100.0 * (moves > 0.8).mean():.0f} %",
            }
        )
    return lines


def _cells(
    songs: Mapping[tuple[str, str], Row], systems: Mapping[str, Mapping[tuple[str, str], Row]], name: str
) -> dict[str, str]:
    keys = sorted(songs)
    before, after = _columns(songs, keys)
    packages = [package for package, _ in keys]
    low, high = removed_interval(before, after, packages)
    cells = {
        "songs": str(len(keys)),
        "removed": f"{100.0 * removed(before, after):.1f} % [{100.0 * low:.1f}, {100.0 * high:.1f}]",
        "worse": f"{100.0 * share_worse(before, after):.0f} %",
        "worst tenth": f"{worst_tenth(before, after):.2f}",
        "less plain": "",
    }
    compared = systems.get(PLAIN + name.partition("@")[2])
    if name.startswith("auto@") and compared and set(keys) <= set(compared):
        _, other = _columns(compared, keys)
        gain = removed(before, after) - removed(before, other)
        low, high = removed_interval(before, after, packages, other)
        cells["less plain"] = f"{100.0 * gain:+.1f} [{100.0 * low:+.1f}, {100.0 * high:+.1f}]"
    return cells


def _columns(
    songs: Mapping[tuple[str, str], Row], keys: Sequence[tuple[str, str]]
) -> tuple[Float64s, Float64s]:
    return (
        np.array([songs[key].before_db for key in keys]),
        np.array([songs[key].after_db for key in keys]),
    )
