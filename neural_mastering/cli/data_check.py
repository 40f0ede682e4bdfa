"""nm-data check: find the faults in a folder of pairs."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_mastering.atomic import write_text
from neural_mastering.cli.progress import progress
from neural_mastering.errors import InputError
from neural_mastering.worker_pool import default_jobs

if TYPE_CHECKING:
    from neural_mastering.data.audit.report import PairReport

PLAIN_WIDTH = 140
"""Columns of text where there is no terminal to ask."""


def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with unmastered/ and mastered/.")],
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="Write all measurements to this JSON file, one object per pair."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Number of processes; 0 uses one per core.")] = 0,
    faults: Annotated[bool, typer.Option("--faults", help="List only the pairs that are not ok.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no table and no progress bar.")] = False,
) -> None:
    """Measure delay, drift, polarity, channels and levels of every pair, and report its faults.

    The exit code is 0 if all pairs are ok, 1 if any is not, and 2 if the folder can't be used.
    """
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise InputError(f"there is no folder {json_file.absolute().parent} to write {json_file.name} to")
    # these bring torch, which takes seconds to import
    from neural_mastering.data.audio_file import left_out, name_some
    from neural_mastering.data.audit.folder import SIDES, audit_folder, list_pairs

    pairs = list_pairs(folder)
    below = [f"{side}/{name}" for side in SIDES for name in left_out(folder / side)]
    if below:
        print(f"nm-data: warning: subfolders are not searched: {name_some(below)} left out", file=sys.stderr)
    with progress("checking", len(pairs), quiet) as done:
        reports = audit_folder(pairs, jobs or default_jobs(), done)
    if json_file is not None:
        write_json(json_file, [report.to_dict() for report in reports])
    if not quiet:
        print_reports([r for r in reports if not faults or r.state != "ok"], str(folder))
        print(summary(reports, folder))
    if any(report.state != "ok" for report in reports):
        raise typer.Exit(1)


def write_json(file: Path, value: Any) -> None:
    """Write a file whole or not at all."""
    write_text(file, json.dumps(value, indent=1) + "\n")


def summary(reports: Sequence["PairReport"], folder: Path) -> str:
    """One line with counts, and what to do."""
    counts = {state: sum(r.state == state for r in reports) for state in ("ok", "fixable", "broken")}
    line = f"{len(reports)} pairs: " + ", ".join(f"{n} {state}" for state, n in counts.items())
    if counts["fixable"]:
        line += f"\nRepair the fixable pairs with: nm-data align '{folder}' --out NEW_FOLDER"
    return line


def print_reports(reports: Sequence["PairReport"], title: str) -> None:
    """One row a pair; unmastered → mastered where both sides have a reading."""
    from rich.box import SIMPLE_HEAD  # only where a table or a bar is drawn
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not reports:
        return
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    table = Table(title=Text(printable(title)), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("song", overflow="fold", min_width=12)
    for column in ("rate", "delay", "drift ppm", "conf.", "LUFS", "dBTP", "LRA"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("verdict", overflow="fold", min_width=24, ratio=1)
    colours = {"ok": "green", "fixable": "yellow", "broken": "red"}
    for report in reports:
        cells = [Text(printable(cell)) for cell in row(report)]
        cells[-1].stylize(colours[report.state])
        table.add_row(*cells)
    console.print(table)


def row(report: "PairReport") -> list[str]:
    """The texts of one row of the table."""
    relation = report.relation
    notes = [p.text for p in report.problems if p.severity == "note"]
    verdict = report.verdict + (f" (note: {'; '.join(notes)})" if notes else "")
    return [
        report.name,
        _both(report, "sample_rate_hz", "{:d}"),
        f"{relation.delay_samples:.2f}" if relation else "–",
        f"{relation.drift_ppm:.2f}" if relation else "–",
        f"{relation.confidence:.2f}" if relation else "–",
        _both(report, "loudness_lufs", "{:.1f}"),
        _both(report, "true_peak_dbtp", "{:.1f}"),
        _both(report, "loudness_range_lu", "{:.1f}"),
        verdict,
    ]


def printable(text: str) -> str:
    """The text without what no terminal can show (names on disk need not be valid UTF-8)."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _both(report: "PairReport", key: str, form: str) -> str:
    values = [(side.to_dict().get(key) if side else None) for side in (report.before, report.after)]
    texts = ["–" if value is None else form.format(value) for value in values]
    return texts[0] if texts[0] == texts[1] else "→".join(texts)
