"""True peak against EBU test signals and a 32-fold oversampling by FFT."""

import math

import numpy as np
import pytest
import torch
from scipy.signal import firwin, resample
from torch import Tensor

from neural_mastering.dsp import true_peak
from neural_mastering.dsp.true_peak import true_peak_db


def faded_sine(period: float, phase_degrees: float, amplitude: float, sample_rate: int) -> np.ndarray:
    """Half a second of a sine of `period` samples, with linear fades of 10 ms."""
    n = np.arange(sample_rate // 2)
    fade = np.clip(np.minimum(n, n[::-1]) / (0.01 * sample_rate), 0.0, 1.0)
    return amplitude * fade * np.sin(2.0 * np.pi * n / period + np.deg2rad(phase_degrees))


def hidden_burst(offset: int, sample_rate: int) -> np.ndarray:
    """Cases 20–23: fs/6 at 0.5 with one period of fs/4 at 1.0, made at 4·fs, low-passed, decimated."""
    period, burst = 24, 16  # at 4·fs
    count = sample_rate // period
    quiet = 0.5 * np.sin(2.0 * np.pi * np.arange(period * count) / period)
    loud = np.sin(2.0 * np.pi * np.arange(burst) / burst)
    signal = np.concatenate([quiet, loud, quiet])
    n = np.arange(signal.size)
    signal *= np.clip(np.minimum(n, n[::-1]) / (0.04 * sample_rate), 0.0, 1.0)
    return np.convolve(signal, np.asarray(firwin(255, 0.25)), mode="same")[offset::4]


def read(audio: np.ndarray, sample_rate: float, dtype: torch.dtype = torch.float32) -> float:
    return true_peak_db(torch.from_numpy(audio).to(dtype)[None, None], sample_rate).item()


def oracle_db(audio: np.ndarray) -> float:
    """32-fold oversampling of the whole signal between zeros."""
    padded = np.pad(audio, 2048)
    return 20.0 * math.log10(np.abs(np.asarray(resample(padded, 32 * padded.size))).max())


def tensor_noise(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("sample_rate", [44100, 48000, 96000, 192000])
@pytest.mark.parametrize(
    ("period", "phase", "amplitude", "expected"),
    [(4, 0, 0.5, -6.0), (4, 45, 0.5, -6.0), (6, 60, 0.5, -6.0), (8, 67.5, 0.5, -6.0), (4, 45, 1.41, 3.0)],
)
def test_ebu_3341_cases_15_to_19(
    period: float, phase: float, amplitude: float, expected: float, sample_rate: int
) -> None:
    measured = read(faded_sine(period, phase, amplitude, sample_rate), sample_rate)
    assert expected - 0.4 <= measured <= expected + 0.2
    assert measured == pytest.approx(20.0 * math.log10(amplitude), abs=0.01)


@pytest.mark.parametrize("sample_rate", [44100, 48000, 96000])
@pytest.mark.parametrize("offset", [0, 1, 2, 3])
def test_ebu_3341_cases_20_to_23(offset: int, sample_rate: int) -> None:
    audio = hidden_burst(offset, sample_rate)
    measured = read(audio, sample_rate)
    assert -0.4 <= measured <= 0.2
    assert measured == pytest.approx(oracle_db(audio), abs=0.02)


@pytest.mark.parametrize("cutoff", [0.25, 0.6, 0.9])
@pytest.mark.parametrize("sample_rate", [44100, 192000])
def test_fft_oversampling_agrees_on_noise(cutoff: float, sample_rate: int) -> None:
    """Noise up to 0.45 of the rate (at 192 kHz the grid is coarser, which the parabola makes up for)."""
    taps = np.asarray(firwin(401, cutoff))
    for seed in range(6):
        audio = np.convolve(np.random.default_rng(seed).standard_normal(6000), taps, mode="same")
        assert read(audio, sample_rate) == pytest.approx(oracle_db(audio), abs=0.04)


@pytest.mark.parametrize("frequency", [0.1, 0.2, 0.3, 0.4, 0.45])
def test_a_tone_reads_its_amplitude_wherever_the_samples_fall(frequency: float) -> None:
    n, window = np.arange(4096), np.hanning(4097)[:-1]
    for phase in np.linspace(0.0, np.pi, 9):
        audio = window * np.cos(2.0 * np.pi * frequency * (n - 2048) + phase)
        top = oracle_db(audio)
        assert read(audio, 44100, torch.float64) == pytest.approx(top, abs=0.01)


def test_never_below_the_sample_peak() -> None:
    audio = tensor_noise(16, 2, 500, seed=0)
    audio[0], audio[1, 0, 77] = 0.0, 40.0  # all but silent, and a lone impulse
    audio[0, 0, 0], audio[2, :, -1] = 1.0, 30.0  # at the very ends
    sample_peak_db = 20.0 * audio.abs().amax(dim=(1, 2)).log10()
    assert (true_peak_db(audio, 48000) >= sample_peak_db - 1e-5).all()
    assert true_peak_db(audio, 48000)[0].item() == pytest.approx(0.0, abs=1e-4)


def test_largest_channel_counts_and_items_do_not_see_one_another() -> None:
    audio = tensor_noise(3, 2, 4000, seed=1) * torch.tensor([0.1, 1.0, 10.0])[:, None, None]
    audio[2, 1] = math.nan
    together = true_peak_db(audio, 44100)
    each = true_peak_db(audio[:2].reshape(4, 1, -1), 44100).view(2, 2)
    torch.testing.assert_close(together[:2], each.amax(dim=1))
    assert together[2].isnan()


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # Gaussian bumps of fs/4 at every place, so that a piece's border falls on each part of a peak
    n = np.arange(700)
    carrier = np.cos(np.pi / 2 * (n - 200.37))
    bumps = np.stack([np.exp(-0.5 * ((n - c) / 6.0) ** 2) * carrier for c in range(100, 600, 7)])
    audio = torch.from_numpy(bumps)[:, None]
    whole = true_peak_db(audio, 44100)
    for piece in (64, 101, 256):
        monkeypatch.setattr(true_peak, "_PIECE_SAMPLES", piece)
        torch.testing.assert_close(true_peak_db(audio, 44100), whole, atol=1e-9, rtol=0)


def test_silence_reads_minus_infinity_without_spoiling_gradients() -> None:
    audio = tensor_noise(2, 2, 300, seed=2)
    audio[0] = 0.0
    audio.requires_grad_()
    level_db = true_peak_db(audio, 44100)
    assert level_db[0].item() == -math.inf
    level_db[1].backward()
    assert audio.grad is not None and audio.grad.isfinite().all() and audio.grad[1].abs().sum() > 0
    assert true_peak_db(torch.zeros(2, 2, 0), 44100).tolist() == [-math.inf] * 2


def test_gradcheck() -> None:
    audio = tensor_noise(2, 2, 60, seed=3).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: true_peak_db(x, 44100), (audio,), eps=1e-7, atol=1e-5)


def test_half_precision_is_measured_in_float32() -> None:
    audio = tensor_noise(2, 2, 2000, seed=4).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        measured = true_peak_db(audio, 44100)
    torch.testing.assert_close(measured, true_peak_db(audio.float(), 44100))
