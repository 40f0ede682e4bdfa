"""The ceiling by ffmpeg's own meter: its ebur128 filter, 4-fold oversampling by swresample."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master
from tests.rendering.conftest import DEMO_SONGS, RATE

PEAK = re.compile(r"True peak:\s+Peak:\s+(-?[\d.]+|-inf) dBFS")
INTEGRATED = re.compile(r"Integrated loudness:\s+I:\s+(-?[\d.]+) LUFS")


def readings(path: Path) -> tuple[float, float]:
    """True peak in dBTP and loudness in LUFS by ffmpeg, both in steps of 0.1."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed")
    command = [
        program,
        "-nostdin",
        "-hide_banner",
        "-i",
        str(path),
        "-af",
        "ebur128=peak=true",
        "-f",
        "null",
        "-",
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    peak, loudness = PEAK.search(told.stderr), INTEGRATED.search(told.stderr)
    if peak is None or loudness is None:
        pytest.skip(f"this ffmpeg has no ebur128 filter with true peak: {told.stderr.strip()[-200:]}")
    return float(peak[1]), float(loudness[1])


@pytest.mark.parametrize(("song", "drive_db"), [(0, 0.0), (2, 6.0), (5, 12.0)])
def test_music_stays_below_the_ceiling(
    song: int, drive_db: float, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    """Loud masters of driven demo songs: 0.1 dB over the ceiling at the most, half a step of the display more."""
    audio = np.array(soundfile.read(DEMO_SONGS[song], frames=4 * RATE, always_2d=True)[0].T)
    source = write_song(audio * 10 ** (drive_db / 20), subtype="FLOAT")
    result = master(source, tmp_path / "out.wav", Options(model="none", target="-9", max_reduction_db=12.0))
    assert result.delivery.reduction_db.max() > 0.5, "the limiter has work to do"
    peak_db, lufs = readings(tmp_path / "out.wav")
    assert -1.6 < peak_db <= -1.0 + 0.1 + 0.05
    assert peak_db == pytest.approx(result.result.true_peak_db, abs=0.2)
    assert lufs == pytest.approx(result.result.lufs, abs=0.1)


def test_a_tone_between_the_samples(write_song: Callable[..., Path], tmp_path: Path) -> None:
    """fs/4 at 45 degrees: samples at −3 dB, true peak at 0; faded, since meters differ about abrupt ends."""
    time = np.arange(RATE)
    fade = np.clip(np.minimum(time, time[::-1]) / 2_000.0, 0.0, 1.0)
    source = write_song(
        np.stack([0.99 * np.sin(np.pi / 2 * fade) ** 2 * np.sin(np.pi * time / 2 + np.pi / 4)] * 2)
    )
    master(source, tmp_path / "out.wav", Options(model="none", target="keep"))
    assert -1.3 < readings(tmp_path / "out.wav")[0] <= -1.0 + 0.1 + 0.05
