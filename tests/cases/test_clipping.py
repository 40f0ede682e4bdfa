"""Clipping is equal neighbours at the top, in any format; floating point may pass full scale unharmed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.metering.meter import Meter

RATE = 44_100


def clipped_samples(audio: np.ndarray, block: int = 1000) -> int:
    meter = Meter(RATE, len(audio), with_true_peak=False)
    for start in range(0, audio.shape[1], block):
        meter.push(np.ascontiguousarray(audio[:, start : start + block]))
    return meter.finish().clipped_samples


def runs_of_three(audio: np.ndarray, level: float) -> int:
    """The definition, sample by sample."""
    count = 0
    for channel in audio:
        start = 0
        for n in range(1, len(channel) + 1):
            if n == len(channel) or channel[n] != channel[start]:
                count += n - start if abs(channel[start]) >= level and n - start >= 3 else 0
                start = n
    return count


@pytest.mark.parametrize("gain_db", [-6, 0, 1, 4, 12, 24])
@pytest.mark.parametrize("frequency_hz", [55.0, 440.0, 997.0])
def test_waves_over_full_scale_are_not_clipped(gain_db: float, frequency_hz: float) -> None:
    time = np.arange(RATE) / RATE
    audio = 10 ** (gain_db / 20) * np.sin(2 * np.pi * frequency_hz * time + [[0.1], [1.3]])
    assert clipped_samples(audio) == runs_of_three(audio, 0.9999) == 0


@pytest.mark.parametrize("top", [1.0, 1.5, 32767 / 32768])
@pytest.mark.parametrize("drive", [1.05, 1.5, 4.0])
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_flat_tops_are(top: float, drive: float, block: int) -> None:
    time = np.arange(4_000) / RATE
    audio = np.clip(drive * top * np.sin(2 * np.pi * 220 * time + [[0.1], [1.3]]), -top, top)
    expected = runs_of_three(audio, 0.9999)
    assert clipped_samples(audio, block) == expected > 20


@pytest.mark.parametrize("block", [7, 1000])
@pytest.mark.parametrize("ceiling", [np.inf, 3.0])
def test_a_hot_float_file_is_clipped_only_where_it_is_flat_at_its_peak(ceiling: float, block: int) -> None:
    """A few steps of an integer last three samples also on a slope; times 8 they lie above full scale."""
    noise = np.random.default_rng(4).standard_normal((2, RATE))
    slow = np.apply_along_axis(lambda x: np.convolve(x, np.hanning(40), "same"), 1, noise)
    stepped = 8.0 * np.round(0.7 * slow / np.abs(slow).max() * 128.0) / 128.0
    audio = np.clip(stepped, -ceiling, ceiling)
    peaks = np.abs(audio).max(axis=1)
    expected = sum(runs_of_three(c[None], peak / 1.01) for c, peak in zip(audio, peaks, strict=True))
    assert clipped_samples(audio, block) == expected
    assert runs_of_three(audio, 1.0) > 4 * max(expected, 100) if np.isinf(ceiling) else expected > 1000


def test_integers_at_the_top_of_their_range(tmp_path: Path) -> None:
    audio = np.clip(3 * np.sin(2 * np.pi * 220 * np.arange(4_000) / RATE), -1, 1)
    for subtype in ("PCM_16", "PCM_24", "PCM_32"):
        soundfile.write(tmp_path / "a.wav", audio, RATE, subtype=subtype)
        assert clipped_samples(soundfile.read(tmp_path / "a.wav")[0][None]) > 1000


@pytest.mark.parametrize("gain", [2.0, 0.2])
def test_the_warning_follows(
    gain: float, music: np.ndarray, tmp_path: Path, nm_master: Callable[..., tuple[int, str, str]]
) -> None:
    peak = np.abs(music).max()
    soundfile.write(tmp_path / "a.wav", gain * music / peak, RATE, subtype="FLOAT")
    code, _, err = nm_master(tmp_path / "a.wav", "-o", tmp_path / "out.wav")
    assert code == 0 and "clipping" not in err and ("exceed full scale" in err) == (gain > 1)


@pytest.mark.parametrize("frames", [1, 100, 4_000, 17_639, 17_640, 17_641, 60_000, 132_300])
def test_short_files_get_no_second_warning(
    frames: int, music: np.ndarray, tmp_path: Path, nm_master: Callable[..., tuple[int, str, str]]
) -> None:
    soundfile.write(tmp_path / "a.wav", np.tile(music, (2, 1))[:frames], RATE, subtype="PCM_16")
    code, _, err = nm_master(tmp_path / "a.wav", "-o", tmp_path / "out.wav")
    assert code == 0 and "quiet" not in err and "inf" not in err
    assert ("too short to measure loudness" in err) == (frames < 17_640)
    assert ("too short to measure short-term" in err) == (17_640 <= frames < 132_300)
