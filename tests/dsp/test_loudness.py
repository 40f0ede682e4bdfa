"""Loudness meters against EBU test signals, pyloudnorm, and a plain float64 reference."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import pyloudnorm
import pytest
import torch
from scipy.signal import sosfilt
from torch import Tensor

from neural_mastering.dsp import loudness
from neural_mastering.dsp.loudness import (
    integrated_loudness,
    loudness_range,
    momentary_loudness,
    short_term_loudness,
)
from neural_mastering.dsp.weighting import k_weighting_sections

RATES = [44100, 48000, 96000]
Segments = Sequence[tuple[float, float]]


def tones(segments: Segments, sample_rate: int, frequency_hz: float = 1000.0, channels: int = 2) -> Tensor:
    """A sine in phase on all channels whose peak level follows `segments` of (dBFS, seconds)."""
    gain = np.concatenate([np.full(round(s * sample_rate), 10.0 ** (db / 20.0)) for db, s in segments])
    sine = gain * np.sin(2.0 * np.pi * frequency_hz * np.arange(gain.size) / sample_rate)
    return torch.from_numpy(sine).float().expand(1, channels, -1)


@lru_cache(maxsize=4)
def music(seed: int, sample_rate: int, seconds: float = 11.0) -> np.ndarray:
    """Decaying tones on a beat, noise bursts, loud, quiet and silent stretches: (2, time), float64."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    audio = np.zeros((2, time.size))
    for beat in np.arange(0.0, seconds, 0.375):
        sounding = slice(round(beat * sample_rate), round((beat + 1.0) * sample_rate))
        since = time[sounding] - beat
        note, angle = 55.0 * 2.0 ** (rng.integers(0, 48) / 12.0), rng.uniform(0.1, 1.4)
        sound = np.sin(2.0 * np.pi * note * since) + 0.5 * np.sin(6.0 * np.pi * note * since)
        burst = rng.standard_normal(since.size) * np.exp(-40.0 * since) * rng.uniform(0.0, 1.5)
        left_right = np.array([math.cos(angle), math.sin(angle)])
        audio[:, sounding] += 0.1 * left_right[:, None] * (sound * np.exp(-4.0 * since) + burst)
    audio[:, (time > 4.0) & (time < 6.5)] *= 0.12
    audio[:, (time > 8.0) & (time < 9.2)] = 0.0
    return audio


def windows(audio: np.ndarray, sample_rate: int, window_s: float, hop_s: float) -> np.ndarray:
    """Reference energies of whole windows, by the recursive filter in float64."""
    weighted = np.square(sosfilt(k_weighting_sections(sample_rate), audio, axis=-1))
    window, hop = round(window_s * sample_rate), round(hop_s * sample_rate)
    starts = range(0, audio.shape[-1] - window + 1, hop)
    return np.array([weighted[:, n : n + window].mean(axis=-1).sum() for n in starts])


def lufs(energy: np.ndarray) -> np.ndarray:
    return -0.691 + 10.0 * np.log10(energy)


CASES: dict[str, tuple[Segments, dict[int, float]]] = {
    "1": ([(-23, 20)], {44100: -22.991, 48000: -22.993, 96000: -23.011}),
    "2": ([(-33, 20)], {44100: -32.991, 48000: -32.993, 96000: -33.011}),
    "3": ([(-36, 10), (-23, 60), (-36, 10)], {44100: -23.011, 48000: -23.014, 96000: -23.031}),
    "4": (
        [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
        {44100: -23.011, 48000: -23.014, 96000: -23.031},
    ),
    "5": ([(-26, 20), (-20, 20.1), (-26, 20)], {44100: -22.976, 48000: -22.979, 96000: -22.996}),
}


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("case", CASES)
def test_ebu_3341_integrated(case: str, sample_rate: int) -> None:
    segments, golden = CASES[case]
    audio = tones(segments, sample_rate)
    measured = integrated_loudness(audio, sample_rate).item()
    assert measured == pytest.approx(-33.0 if case == "2" else -23.0, abs=0.1)
    assert measured == pytest.approx(golden[sample_rate], abs=0.002)
    if case in "12":  # the momentary and short-term meters read the same on a steady tone
        for meter in (momentary_loudness, short_term_loudness):
            frames = meter(audio, sample_rate)
            torch.testing.assert_close(frames, torch.full_like(frames, measured), atol=0.1, rtol=0)


@pytest.mark.parametrize(("sample_rate", "golden"), [(44100, -23.014), (48000, -23.016), (96000, -23.034)])
def test_ebu_3341_case_6_weighs_the_surrounds(sample_rate: int, golden: float) -> None:
    gain = torch.tensor([10.0 ** (db / 20.0) for db in (-28.0, -28.0, -24.0, -30.0, -30.0)])
    audio = tones([(0, 20)], sample_rate, channels=5) * gain[:, None]
    measured = integrated_loudness(audio, sample_rate).item()
    assert measured == pytest.approx(-23.0, abs=0.1)
    assert measured == pytest.approx(golden, abs=0.002)


@pytest.mark.parametrize("sample_rate", RATES)
def test_ebu_3341_case_9_short_term_stays_constant(sample_rate: int) -> None:
    frames = short_term_loudness(tones([(-20, 1.34), (-30, 1.66)] * 5, sample_rate), sample_rate)
    assert frames.shape[-1] == 121  # every 100 ms from 3 s to 15 s
    torch.testing.assert_close(frames, torch.full_like(frames, -23.0), atol=0.1, rtol=0)


@pytest.mark.parametrize("sample_rate", RATES)
def test_ebu_3341_case_12_momentary_stays_constant(sample_rate: int) -> None:
    frames = momentary_loudness(tones([(-20, 0.18), (-30, 0.22)] * 25, sample_rate), sample_rate, hop_ms=10.0)
    settled = frames[:, 60:]  # windows that end after the first second
    assert settled.shape[-1] == 901
    torch.testing.assert_close(settled, torch.full_like(settled, -23.0), atol=0.1, rtol=0)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize(("meter", "length_s", "step_s"), [("short", 3.0, 0.15), ("momentary", 0.4, 0.02)])
def test_ebu_3341_cases_10_and_13_find_the_maximum_wherever_it_starts(
    meter: str, length_s: float, step_s: float, sample_rate: int
) -> None:
    measure = short_term_loudness if meter == "short" else momentary_loudness
    for i in range(0, 20, 3):
        audio = tones([(-200, i * step_s), (-23, length_s), (-200, 1.0)], sample_rate)
        assert measure(audio, sample_rate, hop_ms=10.0).max().item() == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize(
    ("levels_dbfs", "expected"),
    [((-20, -30), 10.0), ((-20, -15), 5.0), ((-40, -20), 20.0), ((-50, -35, -20, -35, -50), 15.0)],
)
def test_ebu_3342_loudness_range(levels_dbfs: tuple[float, ...], expected: float, sample_rate: int) -> None:
    audio = tones([(level, 20.0) for level in levels_dbfs], sample_rate)
    assert loudness_range(audio, sample_rate).item() == pytest.approx(expected, abs=0.01)


def test_loudness_range_rounds_its_percentiles_half_up() -> None:
    """A steady rise, so that each place in the sorted values counts; n − 1 = 5 gives the place 0.5, so 1."""
    rise = torch.linspace(0.1, 0.6, 8000 * 5, dtype=torch.float64)
    audio = (rise * torch.sin(torch.arange(rise.numel()) * 0.7)).expand(1, 1, -1)
    for n in range(1, 18):
        clip = audio[..., : 8000 * 3 + 800 * (n - 1)]
        levels = lufs(windows(clip[0].numpy(), 8000, 3.0, 0.1))
        assert levels.size == n and (np.diff(levels) > 0.05).all()
        low, high = ((2 * (n - 1) * percent + 100) // 200 for percent in (10, 95))
        assert loudness_range(clip, 8000).item() == pytest.approx(levels[high] - levels[low], abs=1e-6)


def test_full_scale_sine_anchors() -> None:
    """997 Hz at 0 dBFS reads −3.01 LUFS in one channel and 0.00 in two."""
    both = tones([(0, 5)], 48000, frequency_hz=997.0)
    left_only = torch.cat([both[:, :1], torch.zeros_like(both[:, :1])], dim=1)
    read = [integrated_loudness(audio, 48000).item() for audio in (both, left_only, both[:, :1])]
    assert read == pytest.approx([0.0, -3.01, -3.01], abs=0.005)


@pytest.mark.parametrize(("sample_rate", "seed"), [(44100, 0), (44100, 1), (48000, 0), (96000, 0)])
def test_pyloudnorm_agrees_on_music(sample_rate: int, seed: int) -> None:
    audio = music(seed, sample_rate)
    meter = pyloudnorm.Meter(sample_rate, filter_class="DeMan")
    for level in (1.0, 0.01):
        measured = integrated_loudness(torch.from_numpy(level * audio).float()[None], sample_rate).item()
        assert measured == pytest.approx(meter.integrated_loudness((level * audio).T), abs=0.02)


def test_pyloudnorm_agrees_on_five_channels() -> None:
    audio = np.concatenate([music(2, 48000, 8.0), music(3, 48000, 8.0), music(4, 48000, 8.0)[:1]])
    expected = pyloudnorm.Meter(48000, filter_class="DeMan").integrated_loudness(audio.T)
    assert integrated_loudness(torch.from_numpy(audio)[None], 48000).item() == pytest.approx(
        expected, abs=0.02
    )


@pytest.mark.parametrize("sample_rate", [11025, 44100, 96000])
def test_float32_meters_agree_with_the_recursive_filter_in_float64(sample_rate: int) -> None:
    audio = music(5, sample_rate)
    tensor = torch.from_numpy(audio).float()[None]

    momentary = momentary_loudness(tensor, sample_rate, hop_ms=50.0)[0].numpy()
    short_term = short_term_loudness(tensor, sample_rate)[0].numpy()
    # in digital silence the reference rings down to nothing, float32 only to its noise
    expected = lufs(windows(audio, sample_rate, 0.4, 0.05))
    assert momentary[expected < -160.0].max() < -140.0
    np.testing.assert_allclose(momentary[expected > -100.0], expected[expected > -100.0], atol=5e-5)
    np.testing.assert_allclose(short_term, lufs(windows(audio, sample_rate, 3.0, 0.1)), atol=5e-5)

    blocks = windows(audio, sample_rate, 0.4, 0.1)
    audible = blocks[lufs(blocks) > -70.0]
    kept = audible[lufs(audible) > lufs(audible.mean()) - 10.0]
    assert kept.size < audible.size < blocks.size  # both gates are at work
    measured = integrated_loudness(tensor, sample_rate).item()
    assert measured == pytest.approx(float(lufs(kept.mean())), abs=5e-5)

    spread = windows(audio, sample_rate, 3.0, 0.1)
    spread = np.sort(spread[lufs(spread) > max(-70.0, float(lufs(spread.mean())) - 20.0)])
    low, high = (spread[math.floor((spread.size - 1) * p + 0.5)] for p in (0.1, 0.95))
    measured = loudness_range(tensor, sample_rate).item()
    assert measured == pytest.approx(float(lufs(high) - lufs(low)), abs=1e-4)


def test_offset_and_rumble_do_not_spoil_float32() -> None:
    """A full-scale offset and 5 Hz below a tone 70 dB lower: what the filter removes must not leave noise."""
    time = np.arange(48000 * 4) / 48000
    audio = 0.5 + 0.4 * np.sin(2 * np.pi * 5 * time) + 10 ** (-70 / 20) * np.sin(2 * np.pi * 3000 * time)
    expected = lufs(windows(audio[None], 48000, 0.4, 0.1)[5:])
    measured = momentary_loudness(torch.from_numpy(audio).float()[None, None], 48000)[0, 5:].numpy()
    np.testing.assert_allclose(measured, expected, atol=0.01)


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = torch.from_numpy(music(6, 44100, 5.0))[None]
    read: list[list[Tensor]] = []
    for piece in (1 << 30, 1 << 15, 6000):
        monkeypatch.setattr(loudness, "_PIECE_SAMPLES", piece)
        read.append([momentary_loudness(audio, 44100, hop_ms=33.0), integrated_loudness(audio, 44100)])
    for pieces in read[1:]:
        torch.testing.assert_close(pieces, read[0], atol=1e-9, rtol=0)


def test_transforms_do_not_grow_with_the_programme(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    transform = torch.fft.rfft

    def spy(audio: Tensor, n: int) -> Tensor:
        sizes.append(n)
        return transform(audio, n=n)

    monkeypatch.setattr(torch.fft, "rfft", spy)
    integrated_loudness(torch.zeros(1, 1, 44100).expand(1, 2, -1).repeat(1, 1, 120), 44100)
    assert len(sizes) == 21 and max(sizes) < 300_000


@pytest.mark.parametrize("floor_lufs", [-math.inf, -70.0])
@pytest.mark.parametrize("kind", ["silent", "short", "empty", "gated"])
def test_nothing_to_measure_reads_the_floor_with_zero_gradients(kind: str, floor_lufs: float) -> None:
    length = {"silent": 48000, "short": 19199, "empty": 0, "gated": 48000}[kind]
    audio = torch.zeros(2, 2, length)
    if kind in ("short", "gated"):
        audio += 1e-4 * torch.sin(torch.arange(length) * 0.1) * (1.0 if kind == "gated" else 1000.0)
    audio.requires_grad_()
    measured = integrated_loudness(audio, 48000, floor_lufs=floor_lufs)
    assert measured.tolist() == [floor_lufs] * 2
    measured.nan_to_num(neginf=0.0).sum().backward()
    assert audio.grad is not None and torch.count_nonzero(audio.grad) == 0
    assert loudness_range(audio.detach(), 48000).tolist() == [0.0, 0.0]


def test_floor_holds_quiet_frames_and_leaves_others() -> None:
    audio = tones([(-20, 1), (-300, 1)], 48000)
    free, held = (momentary_loudness(audio, 48000, floor_lufs=f) for f in (-math.inf, -60.0))
    torch.testing.assert_close(held, free.clamp(min=-60.0))
    assert free.min() < -100.0


def test_gradients_stay_finite_beside_digital_silence() -> None:
    audio = tones([(-300, 1), (-20, 1.5), (-300, 4)], 44100).clone()
    audio[..., :44100] = 0.0
    audio[..., 110250:] = 0.0
    for meter in (integrated_loudness, momentary_loudness, short_term_loudness, loudness_range):
        leaf = audio.clone().requires_grad_()
        value = meter(leaf, 44100)
        value[value.isfinite()].sum().backward(retain_graph=True)
        assert leaf.grad is not None and leaf.grad.isfinite().all()
        # along the audio every audible level rises by 20/ln 10 dB, and a range of levels by none
        audible = value if meter is loudness_range else value[value > -70.0]
        (gradient,) = torch.autograd.grad(audible.sum(), leaf)
        slope = 0.0 if meter is loudness_range else audible.numel() * 20.0 / math.log(10.0)
        assert float((gradient * audio).sum()) == pytest.approx(slope, rel=1e-4, abs=1e-3)


def test_one_decibel_of_gain_is_one_unit() -> None:
    audio = torch.from_numpy(music(7, 44100, 5.0))[None]
    gain_db = torch.zeros((), dtype=torch.float64, requires_grad=True)
    louder = audio * 10.0 ** (gain_db / 20.0)
    (slope,) = torch.autograd.grad(integrated_loudness(louder, 44100).sum(), gain_db)
    assert slope.item() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    "meter", [integrated_loudness, momentary_loudness, short_term_loudness, loudness_range]
)
def test_gradcheck(meter: Callable[[Tensor, float], Tensor]) -> None:
    """Along random directions of the audio, a number for each stretch of time."""
    generator = torch.Generator().manual_seed(8)
    directions = torch.randn(4, 2, 2, 32000, dtype=torch.float64, generator=generator)
    envelope = torch.linspace(0.02, 0.6, 32000, dtype=torch.float64)
    base = torch.randn(2, 2, 32000, dtype=torch.float64, generator=generator) * envelope

    def measured(amount: Tensor) -> Tensor:
        return meter(base + torch.einsum("k,kbct->bct", amount, directions) * envelope, 8000.0)

    amount = torch.full((4,), 0.05, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(measured, (amount,), eps=1e-6, atol=1e-6)


def test_items_do_not_see_one_another() -> None:
    rows = torch.stack([torch.from_numpy(music(s, 44100, 5.0)).float() for s in (9, 10)])
    odd = torch.stack([torch.zeros_like(rows[0]), torch.full_like(rows[0], math.nan)])
    batch = torch.cat([rows, odd])
    for meter in (integrated_loudness, momentary_loudness, short_term_loudness, loudness_range):
        together = meter(batch, 44100)
        alone = torch.cat([meter(row[None], 44100) for row in rows])
        torch.testing.assert_close(together[:2], alone, atol=1e-3, rtol=0)
        assert together[3].isnan().all() and not together[2].isnan().any()


def test_half_precision_is_measured_in_float32() -> None:
    audio = torch.from_numpy(music(11, 44100, 4.0)).bfloat16()[None]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        measured = integrated_loudness(audio, 44100)
    assert measured.dtype == torch.float32
    torch.testing.assert_close(measured, integrated_loudness(audio.float(), 44100))


def test_constants_made_under_inference_mode_serve_autograd() -> None:
    loudness.k_weighting_impulse_response.cache_clear()
    loudness._response_spectrum.cache_clear()
    audio = torch.from_numpy(music(12, 44100, 2.0)).float()[None]
    with torch.inference_mode():
        before = integrated_loudness(audio, 44100).clone()
    leaf = audio.clone().requires_grad_()
    after = integrated_loudness(leaf, 44100)
    after.sum().backward()
    assert after.item() == before.item() and leaf.grad is not None
    # a gain of 1 % is 20·lg 1.01 dB: the derivative along the audio itself is 20/ln 10
    assert float((leaf.grad * audio).sum()) == pytest.approx(20.0 / math.log(10.0), rel=1e-4)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match=r"5 channels .* got 3"):
        integrated_loudness(torch.zeros(1, 3, 48000), 48000)
    with pytest.raises(ValueError, match="a sample or more"):
        momentary_loudness(torch.zeros(1, 2, 48000), 48000, hop_ms=0.0)
    with pytest.raises(ValueError, match="8000 Hz or more"):
        integrated_loudness(torch.zeros(1, 2, 48000), 4000)
