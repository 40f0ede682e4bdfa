"""Programs of other projects, run by an interpreter that has them in an environment of its own."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def run_peer(name: str, python: Path, code: str, jobs: Sequence[Sequence[Path]]) -> None:
    """Run Python code that reads one job a line, paths with tabs between them, from its standard input.

    Args:
        name: of the program, for the message.
        python: the interpreter.
        code: what it runs.
        jobs: the paths of each job; nothing is run without jobs.

    Raises:
        SystemExit: with what the program wrote to its standard error, where it fails.
    """
    if not jobs:
        return
    lines = "".join("\t".join(str(path.resolve()) for path in job) + "\n" for job in jobs)
    done = subprocess.run([python, "-c", code], input=lines, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{python} could not run {name}:\n{done.stderr}")
