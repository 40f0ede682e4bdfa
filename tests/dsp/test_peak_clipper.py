"""The clipper of short peaks: its depth, identity below the ceiling, blocks against one shot, steady tones."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from neural_mastering.dsp.limiter import limit
from neural_mastering.dsp.peak_clipper import KNEE, PeakClipper, clip_peaks

RATE = 44_100


def _clicks(height: float) -> np.ndarray:
    """Quiet noise with a band-limited click every 200 ms."""
    x = 0.05 * np.random.default_rng(0).standard_normal((2, 2 * RATE))
    click = np.hanning(40) * height
    for start in range(4000, x.shape[1] - 100, RATE // 5):
        x[:, start : start + 40] = click
    return x


def test_depth_bounds_what_is_taken_off() -> None:
    shallow, deep = (clip_peaks(_clicks(height)[:, : RATE // 8], 0.0, 3.0, RATE) for height in (1.2, 2.0))
    assert np.abs(shallow).max() <= (1.0 + KNEE) * 1.005  # 1.6 dB over, within the depth: down to the corner
    assert 20 * np.log10(2.0 / np.abs(deep).max()) == pytest.approx(3.0 - 20 * np.log10(1.0 + KNEE), abs=0.15)


def test_below_the_ceiling_nothing_changes() -> None:
    x = _clicks(0.99)
    assert np.array_equal(clip_peaks(x, 0.0, 3.0, RATE), x)
    loud = _clicks(1.3)
    changed = clip_peaks(loud, 0.0, 3.0, RATE) != loud
    near = np.convolve(np.abs(loud[0]) > 0.95, np.ones(131), mode="same") > 0
    assert changed[0].any() and not changed[0][~near].any()


def test_agrees_with_a_hard_clipper_at_64_times_the_rate() -> None:
    time = np.arange(RATE // 4) / RATE
    x = (np.sin(2 * np.pi * 400 * time) * np.exp(-(((time - 0.1) / 0.002) ** 2)) * 1.25)[None]
    high = resample_poly(x, 64, 1, axis=1)
    v = np.abs(high)
    soft = np.where(v < 1 + 2 * KNEE, 1 + KNEE - (1 + 2 * KNEE - v) ** 2 / (4 * KNEE), 1 + KNEE)
    expected = resample_poly(np.sign(high) * np.where(v <= 1, v, soft), 1, 64, axis=1)[:, : x.shape[1]]
    got = clip_peaks(x, 0.0, 6.0, RATE)
    assert np.abs(expected - x).max() > 0.05
    np.testing.assert_allclose(got, expected, atol=4e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_blocks_give_the_same_samples(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.clip(rng.standard_normal((2, RATE)) * 0.4, -2, 2)
    whole = clip_peaks(x, -1.0, 2.0, RATE)
    clipper, parts, at = PeakClipper(-1.0, 2.0, RATE, 2), [], 0
    while at < x.shape[1]:
        size = int(rng.integers(1, 3000))
        parts.append(clipper.process(x[:, at : at + size]))
        at += size
    parts.append(clipper.flush())
    assert not np.array_equal(whole, x)
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


@pytest.mark.parametrize("pair_hz", [(50, 7000), (19_000, 20_000)])
def test_steady_tones_stay_clean_behind_clipper_and_limiter(pair_hz: tuple[int, int]) -> None:
    time = np.arange(4 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * f * time) for f in pair_hz)
    x = np.stack([tones, tones]) * 10 ** (2.0 / 20) / 2.0  # 3 dB above −1 dBFS
    out = limit(clip_peaks(x, -1.0, 3.0, RATE), -1.0, RATE)[0][0, -2 * RATE :]
    power = np.abs(np.fft.rfft(out)) ** 2
    kept = sum(power[2 * f] for f in pair_hz)
    assert 10 * np.log10((power.sum() - kept) / kept) < -50.0
