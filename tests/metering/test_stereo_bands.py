"""Correlation and fold-down by band against the closed forms for mixtures of known correlation."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.inspection import SongInspector
from neural_mastering.metering.stereo_bands import StereoBands

RATE = 44_100


def bands(audio: np.ndarray, rate: int = RATE) -> StereoBands:
    inspector = SongInspector(rate, 2, audio.shape[1])
    for start in range(0, audio.shape[1], 5_000):
        inspector.push(np.ascontiguousarray(audio[:, start : start + 5_000]))
    found = inspector.finish().stereo
    assert found is not None
    return found


def correlated(rho: float, seconds: float = 20.0) -> np.ndarray:
    one, two = 0.1 * np.random.default_rng(1).standard_normal((2, round(seconds * RATE)))
    return np.stack([one, rho * one + np.sqrt(1 - rho * rho) * two])


@pytest.mark.parametrize("rho", [-0.95, -0.5, 0.0, 0.5, 0.9])
def test_noise_of_known_correlation(rho: float) -> None:
    """Mono of equal channels with correlation ρ has (1 + ρ)/2 of their power."""
    found = bands(correlated(rho))
    wide = CENTRES_HZ > 400  # narrow bands hold few bins, so that chance is larger
    assert np.abs(found.correlation[wide] - rho).max() < 0.12
    assert found.correlation[wide].mean() == pytest.approx(rho, abs=0.03)
    power = 10 ** (found.fold_down_db[wide] / 10)
    assert power.mean() == pytest.approx((1 + rho) / 2, abs=0.03)


def test_one_side_alone_and_equal_sides() -> None:
    noise = correlated(0.0)
    alone = bands(noise * [[1.0], [0.0]])
    assert np.allclose(alone.fold_down_db[alone.heard], -3.0103, atol=1e-3) and alone.regions == ()
    equal = bands(noise[:1].repeat(2, axis=0))
    assert np.allclose(equal.fold_down_db[equal.heard], 0.0, atol=1e-6)
    assert np.allclose(equal.correlation[equal.heard], 1.0)


@pytest.mark.parametrize(("low_hz", "high_hz"), [(60, 150), (500, 2_000), (6_000, 12_000)])
def test_the_region_that_cancels_is_named(low_hz: float, high_hz: float) -> None:
    """One channel inverted within a band: the region lies over it, the loss is that of the mixture."""
    noise = correlated(1.0)
    band = butter(8, [low_hz, high_hz], "bandpass", fs=RATE, output="sos")
    inside = np.asarray(sosfilt(band, noise[0]))
    rest = noise[0] - inside
    found = bands(np.stack([inside, -0.9 * inside]) + 1e-3 * rest)
    assert len(found.regions) == 1
    (region,) = found.regions
    assert region.low_hz <= low_hz * 1.3 and region.high_hz >= high_hz / 1.3
    # ((1 − 0.9)/2)² over (1 + 0.9²)/2
    assert region.drop_db == pytest.approx(10 * np.log10(0.05**2 / (0.5 * 1.81)), abs=0.5)
    inside = (low_hz < CENTRES_HZ) & (high_hz > CENTRES_HZ) & found.heard
    assert (found.correlation[inside] < -0.8).all()


def test_an_inverted_channel_is_inverted_in_every_band() -> None:
    noise = correlated(0.9)
    assert bands(noise * [[1.0], [-1.0]]).inverted_share == 1.0
    assert bands(noise).inverted_share == 0.0


def test_bands_without_sound_say_nothing() -> None:
    time = np.arange(5 * RATE) / RATE
    tone = 0.3 * np.sin(2 * np.pi * 1_000 * time)
    found = bands(np.stack([tone, tone]) + 1e-7 * correlated(-0.99, 5.0))
    assert found.heard[CENTRES_HZ.searchsorted(990)] and found.heard.sum() <= 3 and found.regions == ()
    assert found.as_dict()["correlation"][0] is None


def test_a_low_sample_rate_has_no_upper_bands() -> None:
    found = bands(correlated(0.5), 16_000)
    assert not found.heard[CENTRES_HZ > 9_000].any() and found.heard[CENTRES_HZ < 6_000].all()
