"""Edges of lossy codecs: planted ones are found where they are, smooth ends and full bands are none."""

import numpy as np
import pytest
from scipy.signal import butter, firwin, oaconvolve, sosfilt

from neural_mastering.metering.codec_edge import codec_edge_hz
from neural_mastering.metering.profile import Spectrum

RATE = 44_100


def edge_of(audio: np.ndarray, rate: int = RATE) -> float | None:
    spectrum = Spectrum(rate, len(audio))
    spectrum.push(audio)
    return codec_edge_hz(*spectrum.bins())


def pink(seconds: float = 6.0, rate: int = RATE) -> np.ndarray:
    """Noise that falls by 6 dB an octave above 300 Hz."""
    noise = np.random.default_rng(0).standard_normal((2, round(seconds * rate)))
    return np.asarray(sosfilt(butter(1, 300.0, fs=rate, output="sos"), noise))


@pytest.mark.parametrize("edge_hz", [11_000.0, 16_000.0, 18_000.0])
def test_a_planted_edge_is_found(edge_hz: float) -> None:
    audio = pink()
    taps = np.asarray(firwin(2_001, edge_hz, fs=RATE))
    cut = oaconvolve(audio, taps[None], mode="same", axes=1)
    found = edge_of(cut + 1e-7 * np.random.default_rng(1).standard_normal(audio.shape))
    assert found == pytest.approx(edge_hz, abs=400.0)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_what_falls_smoothly_has_no_edge(order: int) -> None:
    assert edge_of(np.asarray(sosfilt(butter(order, 12_000.0, fs=RATE, output="sos"), pink()))) is None


def test_full_bands_silence_and_low_rates_have_no_edge() -> None:
    assert edge_of(pink()) is None
    assert edge_of(np.zeros((2, RATE))) is None
    assert edge_of(pink(rate=8_000), 8_000) is None
    assert edge_of(pink(0.01)) is None
    tone = np.sin(2.0 * np.pi * 12_000.0 * np.arange(2 * RATE) / RATE)
    assert edge_of(pink(2.0) + tone) is None, "a whistle is no edge"
