"""The A-weighted distance against numpy, and what it must notice."""

import math

import numpy as np
import pytest
import torch
from scipy.signal import get_window
from torch import Tensor

from neural_mastering.dsp import stft_fused
from neural_mastering.dsp.a_weighted import a_weighted_distance
from neural_mastering.losses.a_weighted import AWeighted
from neural_mastering.output import MasteringOutput

RATE = 44100


def noise(*shape: int, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def loss(term: AWeighted, audio: Tensor, target: Tensor) -> Tensor:
    return term(MasteringOutput.of_audio(audio), target)


def sine(frequency_hz: float, amplitude: float = 0.5, samples: int = RATE) -> Tensor:
    time = torch.arange(samples, dtype=torch.float64) / RATE
    return (amplitude * torch.sin(2.0 * math.pi * frequency_hz * time)).float().expand(1, 1, -1)


def a_magnitudes(signal: np.ndarray, fft_size: int, hop: int) -> np.ndarray:
    """A-weighted STFT magnitudes by numpy, with the rounded poles of the standard's first edition."""
    padded = np.pad(signal, fft_size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, fft_size)[::hop]
    spectrum = np.abs(np.fft.rfft(frames * np.asarray(get_window("hann", fft_size))))
    square = (np.fft.rfftfreq(fft_size, 1.0 / RATE)) ** 2
    weight = 12194.0**2 * square**2 / ((square + 20.6**2) * (square + 12194.0**2))
    weight /= np.sqrt((square + 107.7**2) * (square + 737.9**2))
    return 10.0 ** (2.0 / 20.0) * weight * spectrum


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("fft_size", "hop"), [(2048, 512), (512, 100)])
def test_value_is_the_documented_formula(fft_size: int, hop: int, channels: int) -> None:
    audio, target = noise(2, channels, 9000, seed=0), noise(2, channels, 9000, seed=1)
    audio[1] *= 3.0
    expected = []
    for p, t in zip(audio.double().numpy(), target.double().numpy(), strict=True):
        views = [(p[0], t[0])]
        if channels == 2:
            middle, side = ((p[0] + s * p[1], t[0] + s * t[1]) for s in (1.0, -1.0))
            views += [(p[1], t[1])] + [(a / 2.0, b / 2.0) for a, b in (middle, side)]
        spectra = [tuple(a_magnitudes(x, fft_size, hop) for x in pair) for pair in views]
        distance = sum(np.abs(a - b).sum() for a, b in spectra)
        expected.append(distance / sum(b.sum() for _, b in spectra))
    measured = loss(AWeighted(RATE, fft_size, hop), audio, target).item()
    assert measured == pytest.approx(np.mean(expected), rel=1e-4)


@pytest.mark.parametrize("frequency_hz", [100.0, 1000.0, 10_000.0])
def test_one_decibel_of_a_tone_costs_its_ratio_at_any_level(frequency_hz: float) -> None:
    target, gain = sine(frequency_hz), 10.0 ** (1.0 / 20.0)
    term = AWeighted(RATE)
    for level in (1.0, 0.1):
        assert loss(term, level * gain * target, level * target).item() == pytest.approx(gain - 1.0, rel=1e-3)


def test_an_added_tone_costs_by_its_weight() -> None:
    """The same tone added at 100 Hz (−19.1 dB) and at 1 kHz: a ninth of the price."""
    target = sine(4000.0)
    term = AWeighted(RATE, fft_size=8192, hop=2048)
    low, middle = (loss(term, target + sine(f, 0.05), target).item() for f in (100.0, 1000.0))
    assert 20.0 * math.log10(low / middle) == pytest.approx(-19.1, abs=0.3)


def test_a_channel_swap_and_an_inverted_channel_cost() -> None:
    common, side = noise(2, 1, RATE, seed=2), 0.3 * noise(2, 1, RATE, seed=3)
    target = torch.cat([common + side, 0.6 * common - side], dim=1)
    term = AWeighted(RATE)
    assert loss(term, target, target).item() == 0.0
    assert loss(term, target.flip(1), target).item() > 0.1
    assert loss(term, target * torch.tensor([1.0, -1.0])[:, None], target).item() > 0.1
    assert loss(term, -target, target).item() == pytest.approx(0.0, abs=1e-6)  # polarity of the whole


def test_value_is_a_mean_over_independent_items() -> None:
    audio, target = noise(3, 2, 5000, seed=4), noise(3, 2, 5000, seed=5)
    audio[2] *= 50.0
    term = AWeighted(RATE)
    alone = torch.stack([loss(term, audio[i : i + 1], target[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(loss(term, audio, target), alone.mean())


@pytest.mark.parametrize("length", [1, 100, 5000])
@pytest.mark.parametrize("channels", [1, 2])
def test_silence_and_short_clips_stay_finite(channels: int, length: int) -> None:
    silence, sound = torch.zeros(2, channels, length), noise(2, channels, length, seed=6)
    term = AWeighted(RATE)
    for audio, target in ((silence, silence), (silence, sound), (sound, silence), (sound, sound)):
        leaf = audio.clone().requires_grad_()
        value = loss(term, leaf, target)
        value.backward()
        assert value.isfinite() and leaf.grad is not None and leaf.grad.isfinite().all()
    assert loss(term, silence, silence).item() == 0.0


def test_silence_for_a_target_costs_one_and_the_floor_holds() -> None:
    term = AWeighted(RATE, fft_size=1764, hop=1764)  # 1 kHz on a bin
    tone, silence = sine(1000.0, 1.0, 1764 * 400), torch.zeros(1, 1, 1764 * 400)
    assert loss(term, silence, tone).item() == pytest.approx(1.0, abs=1e-6)
    # a sine at the floor against a silent target: the frames at the ends are half empty
    assert loss(term, tone * 1e-3, silence).item() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(("channels", "hop", "length"), [(2, 16, 1_500), (1, 25, 1_003), (2, 90, 600)])
def test_compiled_loops_agree_with_tensor_operations(
    channels: int, hop: int, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Value and gradient in float32 against float64; many blocks, with a rest."""
    monkeypatch.setattr(stft_fused, "BLOCK_SAMPLES", 5 * 64)
    target, audio = (noise(3, channels, length, seed=s, dtype=torch.float64) for s in (7, 8))
    found = []
    for dtype in (torch.float32, torch.float64):
        leaf = audio.to(dtype).requires_grad_()
        values = a_weighted_distance(leaf, target.to(dtype), 8000, 64, hop)
        (values * torch.tensor([1.0, -2.0, 3.0])).sum().backward()
        assert leaf.grad is not None
        found.append((values.detach().double(), leaf.grad.double()))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-6, atol=0.0)
    assert (found[0][1] - found[1][1]).norm() < 1e-4 * found[1][1].norm()


@pytest.mark.parametrize(("channels", "hop", "length"), [(2, 16, 150), (1, 25, 103), (2, 90, 60)])
def test_gradcheck(channels: int, hop: int, length: int) -> None:
    target, audio = (noise(2, channels, length, seed=s, dtype=torch.float64) for s in (7, 8))
    term = AWeighted(8000, fft_size=64, hop=hop)
    assert torch.autograd.gradcheck(
        lambda x: loss(term, x, target), (audio.requires_grad_(),), eps=1e-7, atol=1e-6
    )


def test_half_precision_is_measured_in_float32() -> None:
    audio, target = (noise(1, 2, 5000, seed=s).bfloat16() for s in (9, 10))
    term = AWeighted(RATE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(term, audio, target)
    torch.testing.assert_close(value, loss(term, audio.float(), target.float()))


def test_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one shape .* got \(1, 2, 900\) and \(1, 1, 900\)"):
        loss(AWeighted(RATE), torch.zeros(1, 2, 900), torch.zeros(1, 1, 900))
    with pytest.raises(ValueError, match="got 2047 and 512"):
        AWeighted(RATE, fft_size=2047)
    with pytest.raises(ValueError, match="mono or stereo audio; got 3"):
        loss(AWeighted(RATE), torch.zeros(1, 3, 900), torch.zeros(1, 3, 900))
