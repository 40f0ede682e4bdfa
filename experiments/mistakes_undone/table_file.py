"""A table that grows song by song and is taken up again where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.mistakes_undone.rows import Row, read, write
from experiments.mistakes_undone.run import Setting, Task, run_all
from experiments.mistakes_undone.songs import Song

EVERY = 10
"""Songs after which the table is written."""

Known = frozenset[tuple[str, str]]
"""(condition, system)."""


def grown(
    table: Path,
    songs: Sequence[Song],
    setting: Setting,
    processes: int,
    again: Sequence[str] = (),
    not_asked: Callable[[Song], Known] = lambda _: frozenset(),
) -> list[Row]:
    """Rows of a table and of what it lacks, which is measured and written.

    Args:
        table: CSV file; what it holds is kept.
        songs: what is measured, in this order.
        setting: of the run; its systems and conditions are wanted of each song.
        processes: at once.
        again: systems whose rows are measured anew.
        not_asked: what is not wanted of a song.
    """
    rows = [row for row in read(table) if row.system not in again]
    known: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for row in rows:
        known.setdefault((row.package, row.song), set()).add((row.condition, row.system))
    tasks = [
        Task(song, not_asked(song) | frozenset(known.get((song.package, song.name), ()))) for song in songs
    ]
    started = time.perf_counter()
    for i, found in enumerate(run_all(tasks, setting, processes)):
        rows += found
        if i % EVERY == EVERY - 1 or i == len(tasks) - 1:
            write(table, rows)
            print(f"{i + 1} of {len(tasks)} songs, {time.perf_counter() - started:.0f} s", flush=True)
    return rows
