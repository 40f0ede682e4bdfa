"""nm-data degrade: pairs out of released music."""

import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neural_mastering.errors import InputError

if TYPE_CHECKING:
    from neural_mastering.data.degradation.job import Outcome, Progress


def degrade(
    music: Annotated[Path, typer.Argument(help="Folder of released music; folders in it are read too.")],
    out: Annotated[
        Path, typer.Option("--out", help="Empty or new folder for the pairs, or one to go on with.")
    ],
    preset: Annotated[str, typer.Option(help="light, medium, heavy, or a YAML file of your own.")] = "medium",
    seed: Annotated[int, typer.Option(help="Of all draws and of the splits.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; by default as many as there are cores.")
    ] = None,
    validation_fraction: Annotated[float, typer.Option(help="Share of validation groups.")] = 0.2,
    test_fraction: Annotated[float, typer.Option(help="Share of test groups.")] = 0.1,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Make supervised pairs out of released music: the target is the track, the input a degraded copy.

    Writes 24-bit FLAC to OUT/unmastered and OUT/mastered, manifest.csv, and the true parameters of every
    degradation to degradation.jsonl. Each track's draw comes from the seed and its name. Train on the result
    with: nm-train +phase=1a data=paired data.root=OUT. Run again, it makes what is missing or has changed.
    """
    from neural_mastering.data.degradation import load_preset  # --help stays quick: loads torch
    from neural_mastering.data.degradation.job import DegradeJob

    job = DegradeJob(music, out, load_preset(preset), seed, validation_fraction, test_fraction)
    try:
        with _progress(len(job.tracks), quiet) as progress:
            outcome = job.run(jobs or _cores(), progress)
    except KeyboardInterrupt:
        job.remove_drafts()
        if not quiet:
            print("Stopped. The same command goes on where this one was.", file=sys.stderr)
        raise
    except InputError:
        job.remove_drafts()
        raise
    if not quiet:
        _report(outcome, out)
    for path, reason in outcome.failed:
        print(f"nm-data: {path.name} gave no pair: {reason}", file=sys.stderr)
    if outcome.failed:
        raise typer.Exit(1)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator["Progress"]:
    """A bar where there is a terminal."""
    from rich.console import Console  # only where a table or a bar is drawn

    # only where a table or a bar is drawn
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda name: None
        return
    columns = (TextColumn("degrading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[name]}"), console=console, transient=True) as bar:
        task = bar.add_task("", total=total, name="")
        yield lambda name: bar.update(task, advance=1, name=name[:40])


def _report(outcome: "Outcome", out: Path) -> None:
    print(f"{len(outcome.made)} pairs made, {len(outcome.kept)} kept, {len(outcome.failed)} tracks failed")
    records = list(outcome.records.values())
    if not records:
        return
    hours = sum(record["frames"] / record["sample_rate"] for record in records) / 3_600.0
    groups = {record["group"] for record in records}
    splits = [record["split"] for record in records]
    shares = ", ".join(f"{splits.count(split)} {split}" for split in ("train", "validation", "test"))
    named = shares if any(splits) else "no splits (one group only)"
    print(f"{out}: {len(records)} pairs, {hours:.2f} h, {len(groups)} groups; {named}")
    for side, key in (("input", "input_lufs"), ("target", "target_lufs")):
        values = [record[key] for record in records]
        print(
            f"{side}: {min(values):.1f} to {max(values):.1f} LUFS, median {statistics.median(values):.1f}; "
            f"highest peak {max(record[f'{side}_peak_db'] for record in records):.1f} dBFS"
        )
