"""Density and fluctuation of signals in which both are known."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from neural_mastering.metering.texture import RANGES, Texture, TextureMeter

RATE = 44_100
PLACE = {name: i for i, (name, *_) in enumerate(RANGES)}


def _texture(signal: np.ndarray, rate: int = RATE, size: int = 50_000) -> Texture:
    meter = TextureMeter(rate)
    for start in range(0, signal.shape[-1], size):
        meter.push(np.atleast_2d(signal)[:, start : start + size])
    return meter.finish()


def _noise(seconds: float, rate: int = RATE) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate))


def _switched(signal: np.ndarray, period_s: float, share: float, quiet_db: float) -> np.ndarray:
    """Loud for a share of each period, else lower."""
    phase = np.arange(len(signal)) / RATE % period_s / period_s
    return signal * np.where(phase < share, 1.0, 10.0 ** (quiet_db / 20.0))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8])
def test_the_density_is_the_share_of_time_that_is_loud(share: float) -> None:
    found = _texture(_switched(_noise(24.0), 2.0, share, -40.0))
    steady = _texture(_noise(24.0))
    # the power of noise in one bin falls 12 dB below its 90 % level in 1 − 0.1^(10^−1.2) = 14 % of the frames
    assert found.density[PLACE["_high"]] == pytest.approx(share, abs=0.04)
    assert steady.density[PLACE["_high"]] > 0.99
    assert steady.density[PLACE["_low"]] == pytest.approx(0.86, abs=0.06)


def test_the_fluctuation_is_the_step_between_two_levels() -> None:
    step = _switched(_noise(24.0), 2.0, 0.35, -9.0)
    found = _texture(step).fluctuation_db
    assert found[PLACE["_presence"]] == pytest.approx(9.0, abs=0.7)
    assert _texture(_noise(24.0)).fluctuation_db[PLACE["_presence"]] < 0.7


def test_only_the_range_that_moves_is_said_to_move() -> None:
    noise = _noise(24.0)
    sos = butter(6, (2_500.0, 4_000.0), "bandpass", fs=RATE, output="sos")
    band = np.asarray(sosfilt(sos, _switched(noise, 2.0, 0.3, -60.0)))
    rest = np.asarray(sosfilt(butter(6, (1_800.0, 5_500.0), "bandstop", fs=RATE, output="sos"), noise))
    found = _texture(band + rest)
    assert found.fluctuation_db[PLACE["_presence"]] > 10.0
    for name in ("_middle", "_high"):
        assert found.fluctuation_db[PLACE[name]] < 1.5


def test_filters_gains_blocks_and_rates_leave_it_as_it_is() -> None:
    signal = _switched(_switched(_noise(12.0), 0.7, 0.5, -20.0), 3.0, 0.6, -8.0)
    one = _texture(signal)
    shelf = np.asarray(sosfilt(butter(1, 3_000.0, "lowpass", fs=RATE, output="sos"), signal))
    for other in (_texture(signal, size=7_777), _texture(np.stack([signal, signal])), _texture(0.1 * signal)):
        assert np.allclose(one.density, other.density, atol=1e-3)
        assert np.allclose(one.fluctuation_db, other.fluctuation_db, atol=1e-2)
    assert np.allclose(one.density, _texture(shelf).density, atol=0.03)
    assert np.allclose(one.fluctuation_db[1:], _texture(shelf).fluctuation_db[1:], atol=1.0)
    # at another rate the noise is another one
    twice = _texture(np.repeat(signal, 2), 2 * RATE)
    assert np.allclose(one.density, twice.density, atol=0.03)


@pytest.mark.parametrize("seconds", [0.0, 0.02, 3.0])
def test_silence_is_full_and_steady(seconds: float) -> None:
    found = _texture(np.zeros(round(seconds * RATE)))
    assert (found.density == 1.0).all() and (found.fluctuation_db == 0.0).all()


def test_silence_around_the_music_does_not_count() -> None:
    signal = _switched(_noise(12.0), 1.0, 0.5, -30.0)
    inside = _texture(np.concatenate([np.zeros(5 * RATE), signal, np.zeros(5 * RATE)]))
    assert np.allclose(inside.density, _texture(signal).density, atol=0.02)
