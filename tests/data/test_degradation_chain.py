"""The chain: each stage against an independent formula, and pieces against one shot."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfilt, sosfreqz

from neural_mastering.data.degradation import (
    Degradation,
    DegradationBand,
    DegradationChain,
    Expansion,
    eq_curve_db,
    kernels,
)
from neural_mastering.data.degradation.chain import KNEE_DB, equalizer_sections
from neural_mastering.data.degradation.parameters import NO_EXPANSION
from neural_mastering.data.errors import DataError
from neural_mastering.data.loudness_meter import LoudnessMeter, k_weighted_power
from neural_mastering.dsp.biquad import equalize
from neural_mastering.dsp.loudness import integrated_loudness, k_weighted_energy

RATE = 44_100
BANDS = (
    DegradationBand("low_shelf", 120.0, 5.0, 0.7),
    DegradationBand("peak", 900.0, -4.0, 1.4),
    DegradationBand("peak", 3_500.0, 3.0, 0.9),
    DegradationBand("high_shelf", 8_000.0, -6.0, 0.6),
)


def degradation(**changes) -> Degradation:
    plain = Degradation(
        upward=NO_EXPANSION,
        downward=NO_EXPANSION,
        attack_ms=10.0,
        release_ms=100.0,
        width=1.0,
        bands=(),
        lowpass_hz=None,
        level_lufs=-20.0,
        sample_rate=RATE,
        reference_lufs=-20.0,
    )
    return dataclasses.replace(plain, **changes)


def noise(seconds: float = 1.0, channels: int = 2, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal((channels, round(seconds * RATE)))


def sine(level_db: float, hz: float = 1_000.0, seconds: float = 2.0) -> np.ndarray:
    """Stereo; the power of both channels together is at `level_db`."""
    wave = 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave, wave])


def test_the_equaliser_is_that_of_the_parametric_eq() -> None:
    audio = noise()
    made = DegradationChain(degradation(bands=BANDS), 2)(audio.copy())
    frequency, gain, q = (
        torch.tensor([[getattr(b, n) for b in BANDS]]).double() for n in ("frequency_hz", "gain_db", "q")
    )
    expected = equalize(torch.from_numpy(audio)[None], frequency, gain, q, RATE, [b.kind for b in BANDS])[
        0
    ].numpy()
    assert np.linalg.norm(made - expected) / np.linalg.norm(expected) < 1e-5


def test_the_true_parameters_inverted_restore_the_target() -> None:
    audio = noise()
    made = DegradationChain(degradation(bands=BANDS), 2)(audio.copy())
    inverse = tuple(dataclasses.replace(band, gain_db=-band.gain_db) for band in BANDS)
    restored = DegradationChain(degradation(bands=inverse), 2)(made)
    np.testing.assert_allclose(restored, audio, atol=1e-9)


def test_eq_curve_is_what_a_sine_undergoes_and_its_negative_undoes_it() -> None:
    at_hz = torch.tensor([60.0, 900.0, 2_000.0, 10_000.0])
    curve = eq_curve_db(degradation(bands=BANDS), at_hz)
    for hz, expected in zip(at_hz.tolist(), curve.tolist(), strict=True):
        wave = sine(-20.0, hz)
        made = DegradationChain(degradation(bands=BANDS), 2)(wave.copy())
        half = wave.shape[1] // 2
        measured = 20.0 * np.log10(made[:, half:].std() / wave[:, half:].std())
        assert measured == pytest.approx(expected, abs=0.01)
    inverse = degradation(bands=tuple(dataclasses.replace(b, gain_db=-b.gain_db) for b in BANDS))
    torch.testing.assert_close(eq_curve_db(inverse, at_hz), -curve)
    assert eq_curve_db(degradation(), at_hz).tolist() == [0.0] * 4


def test_the_low_pass_is_a_butterworth_of_second_order() -> None:
    sections = equalizer_sections(degradation(lowpass_hz=12_000.0))
    with_one = np.insert(sections, 3, 1.0, axis=1)
    _at_hz, ours = sosfreqz(with_one, 512, fs=RATE)
    _, theirs = sosfreqz(butter(2, 12_000.0, fs=RATE, output="sos"), 512, fs=RATE)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    np.testing.assert_allclose(
        DegradationChain(degradation(lowpass_hz=12_000.0), 1)(noise(0.1, 1)),
        sosfilt(with_one, noise(0.1, 1)),
        atol=1e-12,
    )


def test_width_scales_the_side_and_keeps_the_mid() -> None:
    audio = noise()
    made = DegradationChain(degradation(width=0.6), 2)(audio.copy())
    np.testing.assert_allclose(made.sum(axis=0), audio.sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(made[0] - made[1], 0.6 * (audio[0] - audio[1]), atol=1e-12)
    assert degradation(width=0.6).at_rate(RATE, channels=1).width == 1.0


@pytest.mark.parametrize("level_db", [-45.0, -30.0, -22.0, -20.0, -14.0, -6.0])
def test_a_steady_sine_settles_on_the_static_curve(level_db: float) -> None:
    up, down = Expansion(2.0, 1.5, 4.0), Expansion(-6.0, 1.3, 5.0)
    wave = sine(level_db)
    made = DegradationChain(degradation(upward=up, downward=down), 2)(wave.copy())
    half = wave.shape[1] // 2
    gain_db = 20.0 * np.log10(made[:, half:].std() / wave[:, half:].std())
    x = level_db + 20.0  # both channels are at amplitude a, so their power together is a²
    expected = 0.0
    if x - 2.0 > KNEE_DB / 2:
        expected = min(0.5 * (x - 2.0), 4.0)
    elif x - 2.0 > -KNEE_DB / 2:
        expected = 0.5 * (x - 2.0 + KNEE_DB / 2) ** 2 / (2 * KNEE_DB)
    if -6.0 - x > KNEE_DB / 2:
        expected -= min(0.3 * (-6.0 - x), 5.0)
    elif -6.0 - x > -KNEE_DB / 2:
        expected -= 0.3 * (-6.0 - x + KNEE_DB / 2) ** 2 / (2 * KNEE_DB)
    assert gain_db == pytest.approx(expected, abs=0.05)


def reference_expander(audio: np.ndarray, d: Degradation) -> np.ndarray:
    """The equations of the module's docstring, sample by sample, in plain Python."""

    def over(u: float) -> float:
        if abs(u) < KNEE_DB / 2:
            return (u + KNEE_DB / 2) ** 2 / (2 * KNEE_DB)
        return max(u, 0.0)

    def curve(power: float) -> float:
        level = 10.0 * math.log10(power + 1e-20) - d.reference_lufs
        up = min((d.upward.ratio - 1.0) * over(level - d.upward.threshold_db), d.upward.limit_db)
        down = min((d.downward.ratio - 1.0) * over(d.downward.threshold_db - level), d.downward.limit_db)
        return up - down

    c = {name: math.exp(-1.0 / (ms / 1_000.0 * d.sample_rate)) for name, ms in
         (("detector", 10.0), ("attack", d.attack_ms), ("release", d.release_ms))}  # fmt: skip
    power = float((audio[:, : round(0.05 * d.sample_rate)] ** 2).sum(axis=0).mean())
    gain, made = curve(power), audio.copy()
    for n in range(audio.shape[1]):
        power += (1.0 - c["detector"]) * (float((audio[:, n] ** 2).sum()) - power)
        wanted = curve(power)
        gain += (1.0 - (c["attack"] if wanted > gain else c["release"])) * (wanted - gain)
        made[:, n] *= 10.0 ** (gain / 20.0)
    return made


@pytest.mark.parametrize("channels", [1, 2])
def test_the_expander_equals_a_loop_over_samples(channels: int) -> None:
    time = np.arange(round(0.6 * RATE)) / RATE
    audio = noise(0.6, channels) * (0.05 + (np.sin(2 * np.pi * 3.0 * time) > 0))
    d = degradation(upward=Expansion(1.0, 1.6, 6.0), downward=Expansion(-5.0, 1.4, 8.0), attack_ms=4.0)
    made = DegradationChain(d, channels)(audio.copy())
    np.testing.assert_allclose(made, reference_expander(audio, d), rtol=1e-9, atol=1e-15)
    assert np.abs(made - audio).max() > 0.05


def test_upward_expansion_raises_peaks_over_quiet_parts_and_downward_lowers_the_quiet() -> None:
    loud, quiet = sine(-14.0, seconds=1.0), sine(-34.0, seconds=1.0)
    audio = np.concatenate([loud, quiet, loud], axis=1)

    def change_db(d: Degradation) -> tuple[float, float]:
        ratio = np.abs(DegradationChain(d, 2)(audio.copy())) / np.maximum(np.abs(audio), 1e-12)
        levels = [
            20.0 * np.log10(np.median(ratio[:, s])) for s in (slice(30_000, 40_000), slice(80_000, 88_000))
        ]
        return levels[0], levels[1]

    up = change_db(degradation(upward=Expansion(0.0, 1.5, 9.0)))
    down = change_db(degradation(downward=Expansion(-4.0, 1.5, 9.0)))
    assert up == (pytest.approx(3.0, abs=0.05), pytest.approx(0.0, abs=0.01))
    assert down == (pytest.approx(0.0, abs=0.01), pytest.approx(-5.0, abs=0.1))


@pytest.mark.parametrize("channels", [1, 2])
def test_pieces_equal_one_shot_to_the_last_bit(channels: int) -> None:
    d = degradation(
        upward=Expansion(1.0, 1.6, 6.0),
        downward=Expansion(-5.0, 1.4, 8.0),
        bands=BANDS,
        lowpass_hz=15_000.0,
        width=1.3,
    )
    audio = noise(0.7, channels)
    whole = DegradationChain(d, channels)(audio.copy())
    chain, cuts = DegradationChain(d, channels), [0, 3_000, 3_001, 20_000, audio.shape[1]]
    parts = [chain(audio[:, a:b].copy()) for a, b in itertools.pairwise(cuts)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_bands_beyond_the_rate_are_left_out_and_not_in_the_record() -> None:
    drawn = degradation(bands=BANDS, lowpass_hz=15_000.0, sample_rate=0)
    at_8k = drawn.at_rate(8_000, 2)
    assert [band.frequency_hz for band in at_8k.bands] == [120.0, 900.0, 3_500.0]
    assert at_8k.lowpass_hz is None and at_8k.sample_rate == 8_000
    assert drawn.at_rate(48_000, 2).bands == BANDS


def test_parameters_survive_json() -> None:
    import json

    for made in (degradation(bands=BANDS, upward=Expansion(1.0, 1.6, 6.0)), degradation(gain_db=-3.25)):
        again = Degradation.from_dict(json.loads(json.dumps(made.to_dict(), allow_nan=False)))
        assert repr(again) == repr(made)
    with pytest.raises(DataError, match="not the parameters of a degradation"):
        Degradation.from_dict({"width": 1.0})


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_loudness_in_pieces_is_the_meters(rate: int, channels: int) -> None:
    audio = np.random.default_rng(1).standard_normal((channels, 3 * rate + 77)) * 0.05
    audio[:, rate : 2 * rate] *= 0.01  # gated
    meter = LoudnessMeter(rate, channels)
    for start in range(0, audio.shape[1], 5_003):
        meter.add(audio[:, start : start + 5_003])
    expected = float(integrated_loudness(torch.from_numpy(audio)[None], rate))
    assert meter.integrated_lufs() == pytest.approx(expected, abs=1e-6)
    energy = float(
        k_weighted_energy(torch.from_numpy(audio)[None], rate, 1e3 * audio.shape[1] / rate, 1_000.0)[0, 0]
    )
    assert k_weighted_power(audio, rate) == pytest.approx(energy, rel=1e-9)


def test_loudness_of_nothing() -> None:
    assert LoudnessMeter(44_100, 2).integrated_lufs() == -math.inf
    meter = LoudnessMeter(44_100, 2)
    meter.add(np.zeros((2, 44_100)))
    assert meter.integrated_lufs() == -math.inf
    assert math.isnan(LoudnessMeter(4_000, 1).integrated_lufs())
    assert kernels.expander_gain_db(0.0, (0.0, 1.0, 0.0), (0.0, 1.0, 0.0), KNEE_DB) == 0.0  # pyright: ignore[reportCallIssue]
