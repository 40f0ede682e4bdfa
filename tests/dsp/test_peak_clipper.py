"""The clipper of short peaks: its depth, identity away from peaks, blocks against one shot, steady tones."""

import numpy as np
import pytest

from neural_mastering.dsp.limiter import DRIVEN, limit
from neural_mastering.dsp.masked_change import ASCENTS, frame_samples
from neural_mastering.dsp.peak_clipper import PeakClipper, clip_peaks

RATE = 44_100


def _clicks(height: float) -> np.ndarray:
    """Quiet noise with a band-limited click every second."""
    x = 0.05 * np.random.default_rng(0).standard_normal((2, 2 * RATE))
    click = np.hanning(40) * height
    for start in range(9000, x.shape[1] - 100, RATE):
        x[:, start : start + 40] = click
    return x


def test_depth_bounds_what_is_taken_off() -> None:
    shallow, deep = (clip_peaks(_clicks(height)[:, : RATE // 2], 0.0, 3.0, RATE) for height in (1.2, 2.0))
    assert np.abs(shallow).max() <= 1.03  # 1.6 dB over, within the depth
    assert 20 * np.log10(2.0 / np.abs(deep).max()) == pytest.approx(3.0, abs=0.35)


def test_away_from_peaks_nothing_changes() -> None:
    x = _clicks(0.99)
    assert np.array_equal(clip_peaks(x, 0.0, 3.0, RATE), x)
    loud = _clicks(1.3)
    changed = clip_peaks(loud, 0.0, 3.0, RATE) != loud
    reach = 2 * (ASCENTS + 1) * frame_samples(RATE) + 1
    near = np.convolve(np.abs(loud[0]) > 0.95, np.ones(reach), mode="same") > 0
    assert changed[0].any() and not changed[0][~near].any()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
def test_blocks_give_the_same_samples(seed: int, rate: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.clip(rng.standard_normal((2, RATE)) * 0.4, -2, 2)
    whole = clip_peaks(x, -1.0, 2.0, rate)
    clipper, parts, at = PeakClipper(-1.0, 2.0, rate, 2), [], 0
    while at < x.shape[1]:
        size = int(rng.integers(1, 3000))
        parts.append(clipper.process(x[:, at : at + size]))
        at += size
        assert min(at, x.shape[1]) - sum(part.shape[1] for part in parts) <= clipper.latency_samples
    parts.append(clipper.flush())
    assert not np.array_equal(whole, x)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)


def test_the_change_follows_the_spectrum_of_the_song() -> None:
    time = np.arange(RATE) / RATE
    bass = np.sin(2 * np.pi * 110 * time) * (1.0 + 0.8 * np.exp(-(((time - 0.5) / 0.05) ** 2)))
    x = 0.9 * bass[None] + 0.002 * np.random.default_rng(0).standard_normal((1, RATE))
    hard = np.clip(x, -1.0, 1.0) - x
    own = clip_peaks(x, 0.0, 6.0, RATE) - x
    assert np.abs(x).max() > 1.5 and np.abs(x + own).max() < 1.12

    def treble_db(change: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(change[0] * np.hanning(RATE))) ** 2
        return float(10 * np.log10(power[3000:].sum()))

    assert treble_db(own) < treble_db(hard) - 15.0


@pytest.mark.parametrize("pair_hz", [(50, 7000), (19_000, 20_000)])
def test_steady_tones_stay_clean_behind_clipper_and_limiter(pair_hz: tuple[int, int]) -> None:
    time = np.arange(4 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * f * time) for f in pair_hz)
    x = np.stack([tones, tones]) * 10 ** (2.0 / 20) / 2.0  # 3 dB above −1 dBFS
    out = limit(clip_peaks(x, -1.0, 3.0, RATE), -1.0, RATE, DRIVEN)[0][0, -2 * RATE :]
    power = np.abs(np.fft.rfft(out)) ** 2
    kept = sum(power[2 * f] for f in pair_hz)
    assert 10 * np.log10((power.sum() - kept) / kept) < -50.0
