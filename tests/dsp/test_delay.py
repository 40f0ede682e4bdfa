"""Delays that were planted are found, and undone."""

import numpy as np
import pytest
import torch
from scipy.signal import firwin

from neural_mastering.dsp.delay import advance, estimate_delay_samples


def _music(samples: int, seed: int = 0) -> np.ndarray:
    """Noise below 0.4 of the rate, so that fractions of a sample are well defined."""
    noise = np.random.default_rng(seed).standard_normal((2, samples + 600))
    return np.stack(
        [np.convolve(row, np.asarray(firwin(401, 0.8), dtype=np.float64), "valid")[:samples] for row in noise]
    )


def _delayed(signal: np.ndarray, samples: float) -> np.ndarray:
    """Exact, circular, by the phase of the spectrum: the oracle."""
    w = 2 * np.pi * np.fft.rfftfreq(signal.shape[-1])
    return np.fft.irfft(np.fft.rfft(signal) * np.exp(-1j * w * samples), n=signal.shape[-1])


@pytest.mark.parametrize("samples", [0.0, 1.0, 37.0, -12.0, 0.5, 3.27, -8.61, 399.9])
def test_planted_delays_are_found_to_a_hundredth_of_a_sample(samples: float) -> None:
    signal = _music(20_000)
    late = torch.from_numpy(0.3 * _delayed(signal, samples))[None]
    got = estimate_delay_samples(late, torch.from_numpy(signal)[None], 500)
    assert float(got) == pytest.approx(samples, abs=0.01)


@pytest.mark.parametrize("samples", [4.0, 3.27, -8.5])
def test_advance_undoes_a_delay(samples: float) -> None:
    signal = _music(8000)
    late = torch.from_numpy(_delayed(signal, samples))[None]
    back = advance(late, samples)[0].numpy()
    inside = slice(200, -200)
    error = np.sqrt(np.mean((back - signal)[:, inside] ** 2) / np.mean(signal[:, inside] ** 2))
    assert error < 2e-4  # −74 dB


def test_whole_samples_are_exact_with_zeros_beyond_the_ends() -> None:
    audio = torch.arange(1.0, 6.0).view(1, 1, 5)
    assert advance(audio, 2.0).flatten().tolist() == [3.0, 4.0, 5.0, 0.0, 0.0]
    assert advance(audio, -2.0).flatten().tolist() == [0.0, 0.0, 1.0, 2.0, 3.0]
    assert torch.equal(advance(audio, 0.0), audio)
    assert not advance(audio, 9.0).any()


def test_items_are_independent_and_silence_has_no_delay() -> None:
    signal = torch.from_numpy(_music(4000))
    batch = torch.stack([signal, signal.roll(7, -1), torch.zeros_like(signal)])
    got = estimate_delay_samples(batch, signal.expand(3, -1, -1), 50)
    torch.testing.assert_close(got, torch.tensor([0.0, 7.0, 0.0]).double(), atol=0.01, rtol=0)
