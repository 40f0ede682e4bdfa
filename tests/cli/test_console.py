"""Leaving a program at once loses nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import atexit, sys, tempfile
from neural_mastering.cli.console import leave
folder = tempfile.TemporaryDirectory(dir=sys.argv[1])
atexit.register(lambda: print("registered"))
sys.stdout.write("x" * 100_000 + "end ")
sys.stderr.write("error")
leave(int(sys.argv[2]))
print("never")
"""


@pytest.mark.parametrize("code", [0, 1, 130])
def test_output_is_flushed_and_what_waits_for_the_end_is_done(code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE, str(tmp_path), str(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stdout == "x" * 100_000 + "end registered\n" and done.stderr == "error"
    assert list(tmp_path.iterdir()) == []  # the temporary folder is gone


def test_output_that_nobody_reads_is_a_failure(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE, str(tmp_path), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait() != 0
