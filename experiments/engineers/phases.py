"""Which phase of nm-train is worth its cost for which engineer? 1A, 1B, 1C and 2 on 20 pairs.

    python -m experiments.engineers.phases FOLDER OUT       on a GPU
    python -m experiments.engineers.phases FOLDER OUT --trainer cpu --epochs 1 1 1 1 --override trainer.max_steps=2

FOLDER is what `experiments.engineers.pack` wrote. Masters are rendered by our own chain; each engineer is trained
in a process of its own, one phase after the other, and judged on songs of other packages. OUT/phases.md and
phases.csv hold the results.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.engineers.phase_runs import EPOCHS, Entry, Work, entries_of, prepare, train
from experiments.engineers.phase_scores import SYSTEMS, judge, table_of
from neural_mastering.atomic import write_text
from neural_mastering.reporting.table import markdown_table


def main() -> None:
    """Render, train, judge, write."""
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--trainer", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--seconds", type=float, default=25.0, help="of each song")
    parser.add_argument("--epochs", type=int, nargs=4, default=EPOCHS, help="of 1A, 1B, 1C, 2")
    parser.add_argument("--engineers", nargs="+", default=None)
    parser.add_argument("--processes", type=int, default=14)
    parser.add_argument("--override", nargs="+", default=[], help="further arguments of nm-train")
    arguments = parser.parse_args()
    started = time.perf_counter()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    work = Work(out, arguments.trainer, arguments.seconds, arguments.epochs, arguments.override)
    entries = entries_of(arguments.folder.resolve())
    engineers = arguments.engineers or list(entries[0].settings)
    entries = [Entry(e.part, e.song, {name: e.settings[name] for name in engineers}) for e in entries]
    prepare((work, entries[0]))  # compiles and caches the kernels for all processes
    context = multiprocessing.get_context("spawn")  # torch does not survive a fork
    with context.Pool(arguments.processes) as pool:
        pool.map(prepare, [(work, entry) for entry in entries[1:]], chunksize=1)
        sys.stdout.write(f"pairs rendered after {time.perf_counter() - started:.0f} s\n")
        sys.stdout.flush()
        with ThreadPoolExecutor(len(engineers)) as threads:
            seconds = dict(zip(engineers, threads.map(lambda e: train(work, e), engineers), strict=True))
        jobs = [(work, engineer, entries, system) for engineer in engineers for system in SYSTEMS]
        rows = [row for found in pool.map(judge, jobs, chunksize=1) for row in found]
    write_rows(out / "phases.csv", rows)
    text = markdown_table(table_of(rows, seconds))
    write_text(out / "phases.md", text)
    sys.stdout.write(f"{text}\n{time.perf_counter() - started:.0f} s in all\n")


if __name__ == "__main__":
    main()
