"""nm-data degrade: create pairs from released music."""

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
    music: Annotated[Path, typer.Argument(help="Folder of released music, including its subfolders.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="Folder for the pairs: new, empty, or one from an earlier run to continue."
        ),
    ],
    preset: Annotated[
        str, typer.Option(help="How much to degrade: light, medium, heavy, or your own YAML file.")
    ] = "medium",
    seed: Annotated[int, typer.Option(help="Seed of the random degradations and of the splits.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Number of processes. Default: one per core.")
    ] = None,
    validation_fraction: Annotated[float, typer.Option(help="Fraction of groups used for validation.")] = 0.2,
    test_fraction: Annotated[float, typer.Option(help="Fraction of groups used for testing.")] = 0.1,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors.")] = False,
) -> None:
    """Create training pairs from released music: the track is the target, a degraded copy of it the input.

    Writes 24-bit FLAC to OUT/unmastered and OUT/mastered, a manifest.csv, and the exact parameters of every
    degradation to degradation.jsonl. The degradation of a track depends only on the seed and the track's name.
    Run the command again to create only the pairs that are missing or whose tracks have changed. To train on the
    result: nm-train +phase=1a data=paired data.root=OUT
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
            print("Stopped. Run the same command again to continue.", file=sys.stderr)
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
