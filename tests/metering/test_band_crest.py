"""Crest by octave band, against filters applied to the whole signal by scipy."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from neural_mastering.audio_io.block import blocks_of
from neural_mastering.metering.band_crest import OCTAVES_HZ, BandCrestMeter, band_crest_of


def _direct(audio: np.ndarray, rate: int, centre_hz: float) -> float:
    edges_hz = [centre_hz * 10**-0.15, centre_hz * 10**0.15]
    sections = butter(2, edges_hz, "bandpass", output="sos", fs=rate)
    band = np.asarray(sosfilt(sections, audio, axis=-1))
    size = 3 * rate
    pieces = [band[:, i : i + size] for i in range(0, band.shape[1] - size // 2, size)]
    power = np.array([np.mean(p**2) for p in pieces])
    crest = np.array([10 * np.log10(np.max(p**2) / np.mean(p**2)) for p in pieces])
    return float(crest[power > 0.01 * power.mean()].mean())


@pytest.mark.parametrize("channels", [1, 2])
def test_it_reads_what_scipy_reads(channels: int) -> None:
    rate = 32_000
    rng = np.random.default_rng(0)
    audio = rng.standard_normal((channels, 10 * rate)) * np.exp(-np.linspace(0, 8, 10 * rate) % 2)
    crest_db = band_crest_of(blocks_of(audio, 7_001), rate)
    for band in (0, 3, 5, 8):
        assert crest_db[band] == pytest.approx(_direct(audio, rate, OCTAVES_HZ[band]), abs=1e-6)


def test_a_sine_has_3_db_whatever_its_length_and_only_in_its_band() -> None:
    rate = 44_100
    for seconds in (2, 7, 20):
        time = np.arange(seconds * rate) / rate
        tone = np.sin(2 * np.pi * 1_000 * time) * np.minimum(time / 0.1, 1.0)  # faded in: filters overshoot
        crest_db = band_crest_of(blocks_of(tone[None]), rate)
        assert crest_db[5] == pytest.approx(3.01, abs=0.2)
    assert np.isnan(crest_db[0])


def test_gain_changes_nothing_and_limiting_lowers_it() -> None:
    rate = 22_050
    noise = np.random.default_rng(1).standard_normal((2, 6 * rate))
    crest_db, quiet_db = (band_crest_of(blocks_of(x), rate) for x in (noise, 1e-3 * noise))
    np.testing.assert_allclose(crest_db, quiet_db, atol=1e-9)
    limited_db = band_crest_of(blocks_of(np.clip(noise, -0.7, 0.7)), rate)
    assert np.all((limited_db < crest_db - 0.2)[6:9])
    assert np.isnan(crest_db[-1]) and np.isfinite(crest_db[:-1]).all()  # 16 kHz is above half the rate


def test_silence_and_nothing_have_no_crest() -> None:
    assert np.isnan(band_crest_of(blocks_of(np.zeros((2, 50_000))), 44_100)).all()
    assert np.isnan(BandCrestMeter(8_000, 1).finish()).all()
