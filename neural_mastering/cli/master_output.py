"""What nm-master prints: the steps, the outcome of each song, the list of targets."""

import os
import sys
from typing import TYPE_CHECKING

from neural_mastering.notes import has

if TYPE_CHECKING:
    from neural_mastering.rendering.batch import Job
    from neural_mastering.rendering.result import MasterResult

_LEFT_TO_THE_REPORT = ("dynamics", "image")
"""Kinds of actions that are too much for a terminal."""


def print_targets() -> None:
    """The destinations with their numbers, and where those come from."""
    # --help stays quick: loads NumPy and numba
    from neural_mastering.rendering.delivery.targets import known_targets

    print(f"{'target':13} {'LUFS':>5} {'dBTP':>5}  {'source':9}  checked")
    for name, target in known_targets().items():
        numbers = f"{target.lufs:5g} {target.ceiling_db:5g}"
        print(f"{name:13} {numbers}  {target.kind:9}  {target.checked:10}  {target.source}")
        if target.note:
            print(f"{'':40}  {target.note}")
    print("primary: stated by the platform or the standard itself; secondary: reported by someone else.")
    print("A platform's target is the loudness at which it plays music back, not a delivery requirement.")


class MasterPrinter:
    """One song a line where there are several; steps on a terminal only.

    Attributes:
        is_incomplete: a further file of some song could not be written.
    """

    def __init__(self, quiet: bool, several: bool, prints_json: bool = False) -> None:
        self._quiet, self._several, self._prints_json = quiet, several, prints_json
        self.is_incomplete = False
        self._steps = not quiet and not several and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def step(self, name: str) -> None:
        """Show what is being done, on one line that the next step replaces."""
        if self._steps:
            print(f"\r\033[K{name} …", end="", file=sys.stderr, flush=True)

    def line(self, text: str, error: bool = False) -> None:
        """Print a line."""
        print(text, file=sys.stderr if error else sys.stdout, flush=True)

    def outcome(self, job: "Job", outcome: "MasterResult | Exception") -> None:
        """Print what became of a song: its warnings, what was done, the file; or why it failed."""
        if self._steps:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        if isinstance(outcome, Exception):
            self.line(f"nm-master: {outcome}", error=True)
            return
        self.is_incomplete |= has(outcome.warnings, "copy_failed")
        before = f"{job.source.name}: " if self._several else ""
        for warning in outcome.warnings:
            self.line(f"{before}warning: {warning}", error=True)
        if self._prints_json:  # and nothing else, so that a program can read it
            from neural_mastering.rendering.outputs.write import json_text  # --help stays quick: loads NumPy

            print(json_text(outcome), end="", flush=True)
        if self._quiet or self._prints_json:
            return
        for note in outcome.actions:
            if note.kind not in _LEFT_TO_THE_REPORT:
                self.line(f"{before}{note}")
        for path in (job.output, *outcome.copies):
            self.line(f"{before}wrote {path}")
