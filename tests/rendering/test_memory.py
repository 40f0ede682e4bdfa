"""Memory that doesn't grow with the length of a song: the largest resident set of whole runs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.controls import Bands, ChainControls, EqBand, save_controls
from tests.rendering.conftest import RATE, music


def _write(path: Path, minutes: float) -> None:
    piece = (0.5 * music(10.0)).T.astype(np.float32)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        for _ in range(round(minutes * 6)):
            file.write(piece)


# A process starts with the largest memory of the one that starts it, so a small one stands between.
BETWEEN = (
    "import resource, subprocess, sys\n"
    "code = subprocess.call(sys.argv[1:], stderr=subprocess.DEVNULL)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    "sys.exit(code)"
)


def _peak_mib(song: Path, output: Path, *options: str) -> float:
    command = [sys.executable, "-m", "neural_mastering.cli.master", str(song), "-o", str(output), "-q"]
    between = [sys.executable, "-S", "-c", BETWEEN, *command, *options]
    done = subprocess.run(between, capture_output=True, text=True, check=True)
    assert soundfile.info(output).frames == soundfile.info(song).frames
    output.unlink()
    return int(done.stdout) / 1024


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bare", "controls", "model"])
def test_an_hour_takes_the_memory_of_five_minutes(tmp_path: Path, checkpoint: Path, kind: str) -> None:
    chain = ChainControls(
        eq=Bands.of((EqBand("peak", 1000.0, 3.0, 1.0), EqBand("high_shelf", 8000.0, 2.0, 0.7)))
    )
    save_controls(chain, tmp_path / "c.yaml")
    options = {
        "bare": [],
        "controls": ["--controls", str(tmp_path / "c.yaml")],
        "model": ["--model", str(checkpoint)],
    }[kind]
    lengths = {"bare": (5.0, 60.0), "controls": (5.0, 60.0), "model": (3.0, 15.0)}[kind]
    _write(tmp_path / "warm.wav", 0.2)
    _peak_mib(
        tmp_path / "warm.wav", tmp_path / "out.wav", *options
    )  # the compiler's memory is not the song's
    peaks = []
    for minutes in lengths:
        _write(tmp_path / "song.wav", minutes)
        peaks.append(_peak_mib(tmp_path / "song.wav", tmp_path / "out.wav", *options))
    print(f"{kind}: {lengths[0]:g} min {peaks[0]:.0f} MiB, {lengths[1]:g} min {peaks[1]:.0f} MiB")
    assert peaks[1] < 1.10 * peaks[0]
