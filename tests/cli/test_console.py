"""Leaving a program at once loses nothing; streams that are full or closed are no reason for a traceback."""

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

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


def run_with(
    redirection: str, tmp_path: Path, module: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    command = shlex.join([sys.executable, "-m", f"neural_mastering.cli.{module}", *arguments])
    return subprocess.run(
        ["/bin/sh", "-c", f"{command} {redirection}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("environment", ["", "1"])
def test_output_that_can_not_be_written_is_one_line(
    environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", environment)
    for module, arguments in (("master", ["--list-targets"]), ("style", ["list"]), ("data", ["--help"])):
        done = run_with(">/dev/full", tmp_path, module, *arguments)
        assert done.returncode == 1, module
        assert len(done.stderr.splitlines()) == 1 and "can't be written" in done.stderr, done.stderr
        silent = run_with("2>/dev/full >&2", tmp_path, module, *arguments)
        assert silent.returncode == 1 and silent.stderr == ""


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_don_t_matter(redirection: str, tmp_path: Path) -> None:
    time = np.arange(44_100) / 44_100
    soundfile.write(tmp_path / "in.wav", 0.1 * np.sin(2 * np.pi * 100 * time * time), 44_100)
    done = run_with(redirection, tmp_path, "master", "in.wav", "-o", "out.wav", "--model", "none")
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == 44_100
