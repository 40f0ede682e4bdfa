"""nm-data align: repair the pairs that can be repaired."""

from pathlib import Path
from typing import Annotated

import typer

from neural_mastering.cli.data_check import PLAIN_WIDTH, printable
from neural_mastering.cli.progress import progress
from neural_mastering.worker_pool import default_jobs


def align(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with unmastered/ and mastered/.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR2", help="New folder for the repaired pairs.")
    ],
    jobs: Annotated[int, typer.Option(min=0, help="Number of processes; 0 uses one per core.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no table and no progress bar.")] = False,
) -> None:
    """Repair fixable pairs, copy those that are ok, and leave out broken ones.

    Repairs trim, shift and resample the sides, and correct polarity and channel order. Your originals are never
    changed. If you stop the command, run it again to continue. The exit code is 0 if every pair was kept, 1 if
    any was left out, and 2 if a folder can't be used.
    """
    # these bring torch, which takes seconds to import
    from neural_mastering.data.alignment_folder import align_folder
    from neural_mastering.data.audit.folder import list_pairs  # --help stays quick: loads torch

    with progress("measuring and repairing", 2 * len(list_pairs(folder)), quiet) as done:
        records = align_folder(folder, out, jobs or default_jobs(), done)
    left_out = [record for record in records if not record.outputs]
    if not quiet:
        _print(records)
        repaired = sum(bool(record.outputs and record.done) for record in records)
        copied = len(records) - repaired - len(left_out)
        print(
            f"{len(records)} pairs: {repaired} repaired, {copied} copied, {len(left_out)} left out; "
            f"see {out}/align.jsonl"
        )
    if left_out:
        raise typer.Exit(1)


def _print(records: list) -> None:
    from rich.box import SIMPLE_HEAD  # only where a table or a bar is drawn
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("song", overflow="fold", min_width=12)
    table.add_column("delay", justify="right", no_wrap=True)
    table.add_column("residual", justify="right", no_wrap=True)
    table.add_column("done", overflow="fold", ratio=1)
    for record in records:
        if record.outputs:
            done, colour = "; ".join(record.done) or "copied", "green"
        else:
            done, colour = f"left out: {record.report().verdict.removeprefix('broken: ')}", "red"
        cells = (
            record.name,
            _number(record.measured["delay_samples"], 2),
            _number(record.residual.get("delay_samples"), 3),
        )
        table.add_row(*(Text(printable(cell)) for cell in cells), Text(printable(done), colour))
    console.print(table)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
