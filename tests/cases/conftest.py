"""What the situations of other tools' users are made from: noise, and nm-master in this process."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from neural_mastering.cli.master import invoke

RATE = 44_100
Outcome = tuple[int, str, str]


@pytest.fixture
def nm_master(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run nm-master with the tone left alone; (exit code, standard output, standard error)."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = invoke([*map(str, arguments), "--model", "none"])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def music() -> NDArray[np.float64]:
    """2 s of pulsing noise with a tone, stereo, peaks near −6 dBFS."""
    rng = np.random.default_rng(17)
    time = np.arange(2 * RATE)[:, None] / RATE
    noise = 0.08 * rng.standard_normal((time.size, 2)) * (0.3 + np.exp(-8 * (time % 0.5)))
    return noise + 0.1 * np.sin(2 * np.pi * 220 * time)


@pytest.fixture
def song(music: NDArray[np.float64], tmp_path: Path) -> Path:
    """It as a WAV file of 24 bits."""
    path = tmp_path / "song.wav"
    soundfile.write(path, music, RATE, subtype="PCM_24")
    return path
