"""Commands that a study runs in processes of their own."""

import subprocess
import sys


def run_module(name: str, *arguments: object) -> None:
    """`python -m NAME ARGUMENTS…` with this interpreter; a failure ends the study and names the command."""
    line = [sys.executable, "-m", name, *map(str, arguments)]
    if subprocess.run(line, check=False).returncode != 0:
        sys.exit(f"failed: {' '.join(line)}")


def nm(command: str, *arguments: object) -> None:
    """Run a command of the library by the name of its module in `neural_mastering.cli` (train, data, evaluate)."""
    run_module(f"neural_mastering.cli.{command}", *arguments)
