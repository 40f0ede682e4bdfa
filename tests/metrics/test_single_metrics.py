"""Each metric against a closed form, a planted difference, or a peer."""

import math

import numpy as np
import pyebur128
import pyloudnorm
import pytest
import torch
from scipy.signal import resample_poly

from neural_mastering.dsp.biquad import equalize
from neural_mastering.dsp.ltas_error import top_band_hz
from neural_mastering.metrics import (
    a_weighted_error,
    correlation_error,
    crest_error,
    loudness_range_error,
    ltas_error,
    lufs_error,
    multi_resolution_stft,
    peak_to_loudness_error,
    snr_db,
    stereo_width_error,
    true_peak_error,
    true_peak_level,
)
from neural_mastering.metrics.mel_distance import mel_distance, mel_levels_db

RATE = 44_100


def noise(seconds: float = 3.0, seed: int = 0, channels: int = 2, level: float = 0.1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return level * torch.randn(1, channels, round(seconds * RATE), generator=generator)


def sine(
    frequency_hz: float, seconds: float = 2.0, amplitude: float = 0.5, phase: float = 0.0
) -> torch.Tensor:
    time = torch.arange(round(seconds * RATE), dtype=torch.float64) / RATE
    tone = amplitude * torch.sin(2 * math.pi * frequency_hz * time + phase)
    return tone.float().expand(1, 2, -1)


def test_lufs_error_is_that_of_pyloudnorm() -> None:
    a, b = noise(seed=1), 0.4 * noise(seed=2) * torch.linspace(0.2, 1.0, 3 * RATE)
    meter = pyloudnorm.Meter(RATE, filter_class="DeMan")
    wanted = abs(meter.integrated_loudness(a[0].T.numpy()) - meter.integrated_loudness(b[0].T.numpy()))
    assert float(lufs_error(a, b, RATE)) == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("gain_db", [-12.0, 0.5, 7.0])
def test_a_planted_gain_is_read_as_such(gain_db: float) -> None:
    target = noise()
    louder = target * 10 ** (gain_db / 20)
    assert float(lufs_error(louder, target, RATE)) == pytest.approx(abs(gain_db), abs=1e-3)
    assert float(true_peak_error(louder, target, RATE)) == pytest.approx(abs(gain_db), abs=1e-3)
    assert float(ltas_error(louder, target, RATE)) == pytest.approx(abs(gain_db), abs=1e-3)
    assert float(mel_distance(louder, target, RATE)) == pytest.approx(abs(gain_db), abs=1e-2)
    ratio = 10 ** (gain_db / 20)
    assert float(snr_db(louder, target, RATE)) == pytest.approx(-20 * math.log10(abs(ratio - 1)), abs=1e-3)
    assert float(a_weighted_error(louder, target, RATE)) == pytest.approx(abs(ratio - 1), rel=1e-4)
    # spectral convergence and log distance of a scaled copy: |g − 1| and |ln g| in every resolution and view
    stft = float(multi_resolution_stft(louder, target))
    assert stft == pytest.approx(abs(ratio - 1) + abs(math.log(ratio)), rel=1e-3)
    for error in (crest_error(louder, target), peak_to_loudness_error(louder, target, RATE)):
        assert float(error) == pytest.approx(0.0, abs=1e-3)
    assert float(stereo_width_error(louder, target)) == pytest.approx(0.0, abs=1e-4)


def test_loudness_range_error_is_that_of_libebur128() -> None:
    steps = torch.repeat_interleave(torch.tensor([0.5, 0.05, 0.2]), 6 * RATE)
    a, b = noise(18, seed=3) * steps, noise(18, seed=4)
    ranges = []
    for side in (a, b):
        state = pyebur128.R128State(2, RATE, pyebur128.MeasurementMode.MODE_LRA)
        state.add_frames(side[0].T.numpy().astype(np.float32).ravel(), side.shape[-1])
        ranges.append(pyebur128.get_loudness_range(state))
    assert float(loudness_range_error(a, b, RATE)) == pytest.approx(abs(ranges[0] - ranges[1]), abs=0.2)
    assert ranges[0] > 5  # the planted steps


def test_true_peak_finds_what_lies_between_the_samples() -> None:
    # a sine at a quarter of the rate, sampled 45° off its crests: samples reach 0.707, the signal 1
    tone = sine(RATE / 4, 0.2, amplitude=0.5, phase=math.pi / 4)
    assert float(tone.abs().max()) == pytest.approx(0.5 / math.sqrt(2), abs=1e-4)
    inside = tone * torch.hann_window(tone.shape[-1])
    peak = np.abs(resample_poly(inside[0].numpy().astype(np.float64), 64, 1, axis=-1)).max()
    assert float(true_peak_level(inside, RATE)) == pytest.approx(20 * math.log10(peak), abs=0.03)
    assert float(true_peak_level(torch.zeros(1, 2, 1000), RATE)) == -120.0


def test_crest_factors_of_sine_and_square() -> None:
    tone = sine(100.0)
    assert float(crest_error(tone, tone.sign() * 0.3)) == pytest.approx(10 * math.log10(2), abs=1e-3)
    assert math.isnan(float(crest_error(tone, torch.zeros_like(tone))))


def test_plr_error_of_a_clipped_copy_is_what_peak_and_loudness_say() -> None:
    target = noise(5, seed=5)
    clipped = target.clamp(-0.2, 0.2)
    readings = [
        float(true_peak_level(side, RATE))
        - pyloudnorm.Meter(RATE, filter_class="DeMan").integrated_loudness(side[0].T.numpy())
        for side in (clipped, target)
    ]
    got = float(peak_to_loudness_error(clipped, target, RATE))
    assert got == pytest.approx(abs(readings[0] - readings[1]), abs=0.01) and got > 1.5
    assert math.isnan(float(peak_to_loudness_error(target, torch.zeros_like(target), RATE)))


def test_ltas_error_of_a_known_filter_is_its_response_in_third_octaves() -> None:
    target = noise(20, seed=6)
    settings = [torch.tensor([[v]]) for v in (1000.0, 6.0, 0.7)]
    filtered = equalize(target, settings[0], settings[1], settings[2], RATE, ("peak",))
    from neural_mastering.dsp.biquad import response_db
    from neural_mastering.dsp.ltas import third_octave_centres_hz

    centres = third_octave_centres_hz(25.0, top_band_hz(15_000.0))
    curve = response_db(settings[0], settings[1], settings[2], centres, RATE, ("peak",))[0]
    wanted = float(curve.square().mean().sqrt())
    assert float(ltas_error(filtered, target, RATE)) == pytest.approx(wanted, rel=0.03)


def test_ltas_leaves_out_what_lies_above_its_end() -> None:
    assert top_band_hz(15_000.0) == pytest.approx(12_589.25, abs=0.1)
    target, whistle = noise(4, seed=7), sine(17_000.0, 4.0, amplitude=0.5)
    assert float(ltas_error(target + whistle, target, RATE)) < 0.05
    assert float(ltas_error(target + whistle, target, RATE, high_hz=18_000.0)) > 1.0


def test_ltas_floor_keeps_silence_finite() -> None:
    silence = torch.zeros(1, 2, RATE)
    assert float(ltas_error(silence, silence, RATE)) == 0.0
    assert math.isfinite(float(ltas_error(noise(1), silence, RATE)))


def test_a_full_scale_sine_reads_0_db_or_little_less_on_its_mel_band() -> None:
    levels = mel_levels_db(sine(1000.0, 1.0, amplitude=1.0), RATE)[0, 0, :, 10:-10]
    assert -3.5 < float(levels.amax(dim=0).mean()) <= 0.05


def test_width_error_is_the_factor_on_the_side() -> None:
    target = noise(seed=8)
    mid, side = (target[:, 0] + target[:, 1]) / 2, (target[:, 0] - target[:, 1]) / 2
    narrow = torch.stack([mid + 0.5 * side, mid - 0.5 * side], dim=1)
    assert float(stereo_width_error(narrow, target)) == pytest.approx(20 * math.log10(2), abs=1e-4)
    e_m, e_s = float(mid.square().sum()), float(side.square().sum())

    def correlation(w: float) -> float:
        cross = float((mid * side).sum())
        left, right = e_m + w * w * e_s + 2 * w * cross, e_m + w * w * e_s - 2 * w * cross
        return (e_m - w * w * e_s) / math.sqrt(left * right)

    wanted = abs(correlation(0.5) - correlation(1.0))
    assert float(correlation_error(narrow, target)) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("snr", [10.0, 40.0, 75.0])
def test_snr_of_planted_noise(snr: float) -> None:
    target = noise(4, seed=9).double()
    disturbance = noise(4, seed=10).double()
    scale = math.sqrt(float(target.square().sum() / disturbance.square().sum())) * 10 ** (-snr / 20)
    assert float(snr_db(target + scale * disturbance, target, RATE)) == pytest.approx(snr, abs=0.1)


def test_snr_forgives_a_delay_and_nothing_else() -> None:
    target = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 2, 3 * RATE))).float() * 0.1
    assert float(snr_db(target.roll(30, -1), target, RATE)) > 25  # but for the two ends
    plain = 10 * math.log10(float(target.square().sum() / (target.roll(30, -1) - target).square().sum()))
    assert plain < 0
    assert float(snr_db(-target, target, RATE)) < 0
    assert float(snr_db(target, target, RATE)) == pytest.approx(100.0)
    assert math.isnan(float(snr_db(target, torch.zeros_like(target), RATE)))


def test_every_metric_is_zero_for_the_target_itself() -> None:
    target = noise(4, seed=11)
    for error in (
        lufs_error,
        loudness_range_error,
        ltas_error,
        mel_distance,
        a_weighted_error,
        true_peak_error,
    ):
        assert float(error(target, target, RATE)) == 0.0
    for error in (multi_resolution_stft, crest_error, stereo_width_error, correlation_error):
        assert float(error(target, target)) == 0.0
