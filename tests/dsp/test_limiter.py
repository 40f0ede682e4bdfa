"""The look-ahead limiter: its ceiling by the reference meter, its curve by definition, blocks against one shot."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.signal import butter, resample, sosfiltfilt

from neural_mastering.dsp import peak_kernels, stream_kernels
from neural_mastering.dsp.interpolator import interpolator, oversampling
from neural_mastering.dsp.limiter import DRIVEN, HOLD, GainCurve, LimiterSettings, limit
from neural_mastering.dsp.true_peak import true_peak_db

RATES = (44_100, 48_000, 88_200, 96_000, 192_000)
CEILING_DB = -1.0


def peak_db(audio: np.ndarray, sample_rate: int) -> float:
    return true_peak_db(torch.from_numpy(np.ascontiguousarray(audio))[None], sample_rate).item()


def signals(sample_rate: int) -> dict[str, np.ndarray]:
    """Half a second each, stereo, peaks near full scale."""
    n = np.arange(sample_rate // 2)
    tones = {
        "fs/4": np.sin(2 * np.pi * n / 4 + np.pi / 4),
        "fs/6": np.sin(2 * np.pi * n / 6 + np.pi / 3),
        "bursts": np.sin(2 * np.pi * n / 4 + np.pi / 4) * (n // 500 % 7 == 0),
        "square": np.sign(np.sin(2 * np.pi * 441 * n / sample_rate + 0.01)),
        "hidden period": np.where(
            n // 48 % 9 == 4, np.sin(2 * np.pi * n / 4 + 0.8), 0.5 * np.sin(np.pi * n / 3)
        ),
        "noise": np.random.default_rng(0).standard_normal(n.size) / 4,
    }
    return {name: np.stack([x, 0.7 * np.roll(x, 3)]) for name, x in tones.items()}


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("drive_db", [0.0, 6.0, 12.0])
def test_ceiling_holds_by_the_reference_meter(sample_rate: int, drive_db: float) -> None:
    for name, x in signals(sample_rate).items():
        limited, gain = limit(x * 10 ** (drive_db / 20), CEILING_DB, sample_rate)
        assert peak_db(limited, sample_rate) <= CEILING_DB + 0.02, name
        assert gain.min() > 0.0 and gain.max() <= 1.0


def test_the_loudest_peak_is_not_turned_down_further_than_needed() -> None:
    x = signals(44_100)["bursts"] * 2.0
    limited, gain = limit(x, CEILING_DB, 44_100)
    assert peak_db(limited, 44_100) == pytest.approx(CEILING_DB, abs=0.01)
    assert -20 * np.log10(gain.min()) == pytest.approx(peak_db(x, 44_100) - CEILING_DB, abs=0.01)


@pytest.mark.parametrize(("recovery_ms", "exponent"), [(1.0, 2.0), (20.0, 2.0), (1.0, 1.5), (1.0, 3.0)])
def test_gain_is_the_definition_written_with_numpy(recovery_ms: float, exponent: float) -> None:
    settings = LimiterSettings(2.0, 20.0, recovery_ms, 50.0, recovery_exponent=exponent)
    rate, threshold = 8000, 0.5
    rng = np.random.default_rng(1)
    peaks = np.where(rng.random(4000) < 0.01, rng.uniform(0.5, 3.0, 4000), 0.1)
    first, second = settings.boxes(rate)
    wanted = np.maximum(0.0, 1.0 - threshold / peaks)
    width = first + second - 1 + 2 * HOLD + 1
    held = np.array([wanted[max(0, n - width + 1) : n + 1].max() for n in range(wanted.size)])
    times_ms = np.array([settings.release_ms, settings.recovery_ms, settings.sustain_ms])
    slow, fast, toward = 1.0 - np.exp(-1000.0 / (times_ms * rate))
    released, mean = held.copy(), np.zeros(held.size)
    for n in range(1, released.size):
        before = released[n - 1]
        short = max(1.0 - mean[n - 1] / before, 0.0) if before > 0.0 else 0.0
        released[n] = max(held[n], before * (1.0 - slow - (fast - slow) * short**exponent))
        mean[n] = mean[n - 1] + toward * (released[n] - mean[n - 1])
    window = np.convolve(np.full(first, 1 / first), np.full(second, 1 / second))
    smooth = np.convolve(released, window)[: released.size]
    got = GainCurve(threshold, rate, settings).push(peaks)
    assert window.size - 1 + HOLD == settings.latency_samples(rate)
    # the released curve is cut off below 1e-6
    np.testing.assert_allclose(got, 1.0 - smooth, atol=2e-6)


@pytest.mark.parametrize("settings", [LimiterSettings(), replace(DRIVEN, recovery_widths=8.0)])
def test_blocks_give_the_same_curve_to_the_last_bit(settings: LimiterSettings) -> None:
    peaks = np.random.default_rng(2).exponential(0.3, 20_000)
    whole = GainCurve(0.5, 44_100, settings).push(peaks)
    curve, parts, start = GainCurve(0.5, 44_100, settings), [], 0
    for size in np.random.default_rng(3).integers(1, 900, 200):
        parts.append(curve.push(peaks[start : start + size].copy()))
        start += int(size)
    assert np.array_equal(np.concatenate(parts), whole)


def test_what_stays_below_the_ceiling_is_not_touched() -> None:
    x = np.random.default_rng(4).uniform(-0.3, 0.3, (2, 20_000))
    limited, gain = limit(x, CEILING_DB, 44_100)
    assert np.array_equal(limited, x) and (gain == 1.0).all()


def test_gain_returns_to_exactly_one_after_a_peak() -> None:
    x = np.zeros((1, 250_000))
    x[0, 1000] = 2.0
    x[0, 1500:] = 0.25 * np.sin(np.arange(248_500) / 20)
    limited, gain = limit(x, CEILING_DB, 44_100)
    assert gain[1000] < 0.5 and (gain[200_000:] == 1.0).all()
    assert np.array_equal(limited[:, 200_000:], x[:, 200_000:])


def test_a_sustained_reduction_is_released_slowly_and_a_short_one_recovers() -> None:
    settings, rate = LimiterSettings(), 44_100
    late = settings.latency_samples(rate) + HOLD
    peaks = np.where(np.arange(4 * rate) < 2 * rate, 2.0, 0.5)
    gain = GainCurve(1.0, rate, settings).push(peaks)
    after_s = 0.2  # ½·exp(−t/0.3 s), by the closed form, from the end of the hold
    assert gain[2 * rate - 1] == pytest.approx(0.5, abs=1e-6)
    at = 2 * rate + late + HOLD + round(after_s * rate)
    assert 1.0 - gain[at] == pytest.approx(0.5 * np.exp(-after_s / 0.3), rel=0.01)
    peaks = np.where(np.arange(rate) == 1000, 2.0, 0.5)
    gain = GainCurve(1.0, rate, settings).push(peaks)
    assert gain.min() == pytest.approx(0.5, abs=1e-6)
    assert (1.0 - gain[1000 + 2 * late + round(0.005 * rate) :]).max() < 0.05  # under a tenth after 5 ms


def test_the_recovery_waits_for_multiples_of_a_peaks_width() -> None:
    """After a peak of 4 ms and 3 widths the reduction fades with 12 ms, by the closed form; a click's doesn't."""
    rate = 44_100
    settings = LimiterSettings(release_ms=5000.0, sustain_ms=5000.0, recovery_widths=3.0)
    late = settings.latency_samples(rate) + HOLD
    for width, time in ((round(0.004 * rate), 3.0 * round(0.004 * rate)), (1, 0.001 * rate)):
        peaks = np.full(rate // 4, 0.1)
        peaks[1000 : 1000 + width] = 2.0
        gain = GainCurve(1.0, rate, settings).push(peaks)
        start = 1000 + width + 2 * late
        ratio = (1.0 - gain[start + 44]) / (1.0 - gain[start])
        assert ratio == pytest.approx(np.exp(-44 / time), rel=0.05)


def test_ripples_on_a_crest_do_not_make_it_short() -> None:
    """The detector gives the loudest of each group of intervals only; the gaps between don't end a peak."""
    settings, rate = LimiterSettings(recovery_widths=8.0), 44_100
    crest = np.full(4000, 0.1)
    crest[1000:1200] = 2.0
    with_gaps = crest.copy()
    with_gaps[1000:1200][np.arange(200) % peak_kernels.GROUP != 3] = 0.1
    gains = [GainCurve(1.0, rate, settings).push(peaks) for peaks in (crest, with_gaps)]
    assert np.abs(gains[0] - gains[1])[1300:].max() < 0.02
    assert np.abs(gains[0] - GainCurve(1.0, rate).push(crest))[1300:].max() > 0.3


def _beats(rate: int, seconds: float = 4.0) -> np.ndarray:
    """A bass drum: 60 Hz that fades with 120 ms, every 450 ms."""
    time = np.arange(round(seconds * rate)) / rate
    since = time % 0.45
    return np.sin(2 * np.pi * 60.0 * since) * np.exp(-since / 0.12) * np.minimum(since / 0.003, 1.0)


def test_a_bass_drum_driven_hard_keeps_its_spectrum() -> None:
    """Power above 300 Hz, driven 6 dB: as in the input where the recovery waits for crests, 4 dB more without."""
    rate = 44_100
    beats = np.tile(_beats(rate) * 10.0 ** (5.0 / 20.0), (2, 1))
    sections = np.asarray(butter(6, 300.0, "highpass", fs=rate, output="sos"))

    def bright_db(x: np.ndarray) -> float:
        return 10.0 * float(np.log10((sosfiltfilt(sections, x[0]) ** 2).sum() / (x[0] ** 2).sum()))

    waits, hurries = (
        bright_db(limit(beats, CEILING_DB, rate, LimiterSettings(recovery_widths=widths))[0])
        for widths in (8.0, 0.0)
    )
    assert waits <= bright_db(beats) + 0.5
    assert hurries >= bright_db(beats) + 3.0


@pytest.mark.parametrize("settings", [DRIVEN, replace(DRIVEN, recovery_ms=0.5)])
def test_steady_tones_stay_clean_when_driven(settings: LimiterSettings) -> None:
    """50 Hz and 7 kHz, 3 dB over: harmonics and intermodulation 50 dB below them and more, once settled."""
    rate = 44_100
    time = np.arange(4 * rate) / rate
    tones = 0.5 * (np.sin(2 * np.pi * 50 * time) + np.sin(2 * np.pi * 7000 * time)) * 10 ** (2.0 / 20)
    power = np.abs(np.fft.rfft(limit(tones[None], CEILING_DB, rate, settings)[0][0, -2 * rate :])) ** 2
    kept = sum(float(power[b - 1 : b + 2].sum()) for b in (100, 14_000))
    assert 10 * np.log10((power.sum() - kept) / kept) < -52.0


def test_gain_starts_no_earlier_than_the_lookahead() -> None:
    settings = LimiterSettings()
    x = np.zeros((1, 40_000))
    x[0, 20_000] = 1.5
    gain = limit(x, CEILING_DB, 44_100, settings)[1]
    start = int(np.flatnonzero(gain < 1.0)[0])
    assert 20_000 - round(settings.lookahead_ms * 44.1) - HOLD - 2 <= start < 20_000 - HOLD
    assert np.abs(np.diff(gain[:20_000])).max() < 0.02  # no step


def test_channels_share_one_gain() -> None:
    x = np.random.default_rng(5).standard_normal((2, 30_000)) * np.array([[0.1], [0.6]])
    limited, gain = limit(x, CEILING_DB, 44_100)
    np.testing.assert_array_equal(limited, x * gain)
    assert gain.min() < 0.9


@pytest.mark.parametrize("sample_rate", [44_100, 192_000])
def test_sparse_search_finds_what_the_full_grid_finds(sample_rate: int) -> None:
    """raise_peak looks at few places; the reference meter and a 32-fold resampling look everywhere."""
    phases = interpolator(oversampling(sample_rate))
    for name, x in signals(sample_rate).items():
        padded = peak_kernels.padded(x)
        peak = 0.0
        for c in range(2):
            first = peak_kernels.PAST - 1
            peak = peak_kernels.raise_peak(padded[c], first, first + x.shape[1] + 1, phases, peak)
        level = 20 * np.log10(peak)
        assert level == pytest.approx(peak_db(x, sample_rate), abs=1e-6), name
    tone = signals(sample_rate)["fs/6"][:, 1000:3000] * np.hanning(2000)
    dense = 20 * np.log10(
        np.abs(np.asarray(resample(np.pad(tone, ((0, 0), (500, 500))), 3000 * 32, axis=1))).max()
    )
    assert peak_db(tone, sample_rate) == pytest.approx(dense, abs=0.02)


def test_dither_is_triangular_two_steps_wide_and_the_same_for_any_cut() -> None:
    x = np.full((2, 60_000), 0.25 / 32768)
    whole = np.empty((60_000, 2), np.int32)
    stored = np.empty_like(x)
    stream_kernels.quantise(x, 0, 16, True, 7, 0, whole.reshape(-1), stored)
    assert np.array_equal(stored, whole.T / 32768)
    parts = [np.empty((n, 2), np.int32) for n in (1, 999, 59_000)]
    start = 0
    for part in parts:
        values = np.empty((2, len(part)))
        piece = np.ascontiguousarray(x[:, : len(part)])
        stream_kernels.quantise(piece, start, 16, True, 7, 16, part.reshape(-1), values)
        start += len(part)
    assert np.array_equal(np.concatenate(parts) >> 16, whole)
    error = whole.T - x * 32768
    # noise of dither and rounding together: 3·LSB²/12, mean free of the signal (Lipshitz et al. 1992)
    assert error.mean() == pytest.approx(0.0, abs=0.01)
    assert error.var() == pytest.approx(0.25, abs=0.01)
    assert abs(float(np.asarray(np.corrcoef(error))[0, 1])) < 0.02 and np.abs(error).max() < 1.5
    assert not np.array_equal(whole[:, 0], whole[:, 1])


def test_rounding_clips_at_the_ends_of_the_integers_and_counts() -> None:
    x = np.array([[1.0, -1.0, 1.2, -1.2, 0.5, 1 / 32768]])
    steps = np.empty((6, 1), np.int32)
    stored = np.empty_like(x)
    assert stream_kernels.quantise(x, 0, 16, False, 0, 0, steps.reshape(-1), stored) == 2
    assert stored.tolist() == (steps.T / 32768).tolist()
    assert steps[:, 0].tolist() == [32767, -32768, 32767, -32768, 16384, 1]
