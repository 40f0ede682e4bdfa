"""The second look at peaks against interpolation by a long FFT."""

import math

import numpy as np
import pytest
from scipy.signal import resample
from scipy.signal.windows import tukey

from neural_mastering.metering.meter import Meter
from neural_mastering.metering.wide_peak import WidePeakMeter

RATE = 44_100


def _noise(top: float, seconds: float = 1.0, bottom: float = 0.0) -> np.ndarray:
    """Two channels of white noise up to `top` of the sample rate, loudest sample 0.8, faded in and out."""
    time = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal((2, time)))
    spectrum[:, round(top * time) :] = 0.0
    spectrum[:, : round(bottom * time)] = 0.0
    audio = np.fft.irfft(spectrum, time) * tukey(time, 0.1)
    return 0.8 * audio / np.abs(audio).max()


def _by_fft(audio: np.ndarray) -> float:
    """The highest peak in dB on a grid 32 times as fine."""
    padded = np.pad(audio, ((0, 0), (2_000, 2_000)))
    fine = np.asarray(resample(padded, 32 * padded.shape[1], axis=1))
    return 20.0 * math.log10(np.abs(fine).max())


def _look(audio: np.ndarray, ceiling_db: float, block: int = 1 << 16) -> float:
    look = WidePeakMeter(RATE, 2, ceiling_db)
    for start in range(0, audio.shape[1], block):
        look.push(np.ascontiguousarray(audio[:, start : start + block]))
    return look.finish()


@pytest.mark.parametrize(("bottom", "top"), [(0.0, 0.3), (0.0, 0.485), (0.44, 0.47)])
def test_it_reads_what_a_long_fft_reads(bottom: float, top: float) -> None:
    audio = _noise(top, bottom=bottom)
    expected = _by_fft(audio)
    # a grid of eight misses at most 20·lg cos(π/16·2·top) of a tone, and peaks of music hardly any of that
    assert expected - 0.17 <= _look(audio, expected) <= expected + 0.01


def test_it_hears_what_the_meter_is_deaf_to() -> None:
    audio = _noise(0.485, bottom=0.47)
    meter = Meter(RATE, 2)
    meter.push(audio)
    first = meter.finish().true_peak_db
    found = _look(audio, first)
    assert found > first + 0.1
    assert found == pytest.approx(_by_fft(audio), abs=0.17)


def test_blocks_of_any_size_give_the_same_reading() -> None:
    audio = _noise(0.48, 0.3)
    whole = _look(audio, -2.0)
    assert math.isfinite(whole)
    for block in (1, 37, 4_096):
        assert _look(audio, -2.0, block) == whole


def test_nothing_near_the_ceiling_is_no_reading() -> None:
    assert _look(0.1 * _noise(0.4), -1.0) == -math.inf
    assert _look(np.zeros((2, 1_000)), -1.0) == -math.inf
