"""What nm-eval prints: progress, the table at the end, and what a checkpoint is."""

import json
import math
import sys
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from neural_mastering.evaluation.inspect import inspect_checkpoint
from neural_mastering.evaluation.outcome import Evaluation
from neural_mastering.metrics.suite import MATCHED, info_of
from neural_mastering.reporting.table import print_table

SHOWN = (
    "mr_stft" + MATCHED,
    "ltas_error" + MATCHED,
    "mr_stft",
    "ltas_error",
    "lufs_error",
    "plr_error",
    "width_error",
)


class TerminalProgress:
    """A bar on the terminal, or plain lines where there is none."""

    def __init__(self, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
            transient=True,
        )
        self._task = None

    def __enter__(self) -> "TerminalProgress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, message: str) -> None:
        """A line above the bar."""
        self._console.print(message, highlight=False, markup=False, soft_wrap=True)

    def start(self, what: str, total: int) -> None:
        """Show a new bar."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=total)
        if self._bar.disable:
            self.say(f"{what}: {total}")

    def advance(self) -> None:
        """One step."""
        if self._task is not None:
            self._bar.advance(self._task)


def print_summary(evaluation: Evaluation, out: Path) -> None:
    """The main columns of whole songs."""
    summary = evaluation.whole
    shown = [c for c in SHOWN if (evaluation.systems[0].key, c) in summary.scores]
    rows = []
    for system in evaluation.systems:
        row = {"system": system.name}
        for column in shown:
            value = summary.scores[system.key, column].value
            digits = info_of(column).digits
            row[_heading(column)] = "–" if math.isnan(value.mean) else f"{value.mean:.{digits}f}"
        improved = summary.scores[system.key, shown[0]].improved
        row["improved"] = "–" if improved is None else f"{improved}/{summary.songs}"
        rows.append(row)
    title = f"{evaluation.chosen.split}: mean over {summary.songs} songs in {summary.groups} groups"
    footnote = "m: after loudness matching. improved: songs that beat the identity in the first column.\n"
    footnote += "* knows the loudness of the target (an oracle for level)."
    print_table(rows, title, footnote)
    for warning in evaluation.warnings:
        print(warning)
    print(f"results: {out}")


def print_inspection(checkpoint: Path, as_json: bool) -> None:
    """What a checkpoint is."""
    inspection = inspect_checkpoint(checkpoint)
    if as_json:
        json.dump(inspection.as_dict(), sys.stdout, indent=1, ensure_ascii=False)
        print()
        return
    print(inspection.as_text())


def _heading(column: str) -> str:
    info = info_of(column)
    return info.name + (f" {info.unit}" if info.unit else "") + (" m" if column.endswith(MATCHED) else "")
