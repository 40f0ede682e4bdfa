"""How late one signal is against another, to a fraction of a sample, and a shift by such a delay."""

import math

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional

from neural_mastering.shapes import Audio, PerItem

_TAPS = 96
_KAISER_BETA = 9.0
_NEWTON_STEPS = 6
_CONVERGED_SAMPLES = 1e-7
"""A step this small leaves an error of its square."""


def estimate_delay_samples(audio: Audio, reference: Audio, max_delay_samples: int) -> PerItem:
    """Delay of `audio` behind `reference` in samples, (batch,), positive where it is late.

    The place of the largest cross-correlation c(τ) = Σ_c Σ_n audio_c[n + τ]·reference_c[n] within
    ±max_delay_samples: the largest at whole samples, then Newton's method on the band-limited c. In float64. A
    gain on either side changes nothing; an inverted copy is not found. Silence on either side gives 0.

    Args:
        audio, reference: (batch, channel, time), of one shape.
        max_delay_samples: how far to look, in samples.

    Examples:
        >>> import torch
        >>> noise = torch.randn(1, 1, 4_800, generator=torch.Generator().manual_seed(0))
        >>> late = torch.nn.functional.pad(noise, (7, 0))[..., :4_800]
        >>> estimate_delay_samples(late, noise, max_delay_samples=50)
        tensor([7.0])
        >>> torch.equal(advance(late, 7.0)[..., :-7], noise[..., :-7])
        True
    """
    time = audio.shape[-1]
    reach = min(max_delay_samples, time - 1)
    size = int(next_fast_len(time + reach + 1, real=True) or 0)
    product = (
        torch.fft.rfft(audio.double(), n=size) * torch.fft.rfft(reference.double(), n=size).conj()
    ).sum(dim=1)
    correlation = torch.fft.irfft(product, n=size)
    window = torch.cat((correlation[:, size - reach :], correlation[:, : reach + 1]), dim=-1)
    coarse = (window.argmax(dim=-1) - reach).double()
    w = torch.arange(product.shape[-1], dtype=torch.float64, device=audio.device) * (2.0 * math.pi / size)
    delay = coarse.clone()
    for _ in range(_NEWTON_STEPS):
        turned = product * torch.polar(torch.ones_like(w), w * delay[:, None])
        slope = -(turned.imag * w).sum(dim=-1)
        curvature = -(turned.real * w.square()).sum(dim=-1)
        step = torch.where(curvature < 0.0, slope / curvature, 0.0)
        delay = torch.minimum(torch.maximum(delay - step.clamp(-0.5, 0.5), coarse - 1.0), coarse + 1.0)
        if step.abs().max() < _CONVERGED_SAMPLES:
            break
    silent = correlation[:, 0].abs() + window.abs().amax(dim=-1) <= 0.0
    return torch.where(silent, 0.0, delay).to(audio.dtype)


def advance(audio: Audio, delay_samples: float) -> Audio:
    """The audio moved `delay_samples` earlier (later where negative), of the same length, zeros beyond its ends.

    Whole samples are exact; fractions go through a windowed sinc of 96 taps, flat to 0.01 dB up to 0.45 of the
    sample rate.
    """
    whole = math.floor(delay_samples)
    fraction = delay_samples - whole
    time = audio.shape[-1]
    if min(fraction, 1.0 - fraction) < 1e-6:
        return _window(audio, round(delay_samples), time)
    # y[n] = x(n + whole + fraction): taps at the whole samples around that place
    tap = torch.arange(_TAPS, dtype=torch.float64) - (_TAPS // 2 - 1)
    distance = tap - fraction
    kaiser = torch.special.i0(_KAISER_BETA * (1.0 - (distance / (_TAPS / 2)).square()).clamp(min=0.0).sqrt())
    taps = torch.special.sinc(distance) * kaiser
    taps = (taps / taps.sum()).to(audio)
    around = _window(audio, whole - (_TAPS // 2 - 1), time + _TAPS - 1)
    shape = around.shape
    filtered = functional.conv1d(around.reshape(-1, 1, shape[-1]), taps[None, None])
    return filtered.reshape(*shape[:-1], time)


def _window(audio: Tensor, start: int, length: int) -> Tensor:
    """Samples start … start + length, zeros where there are none."""
    time = audio.shape[-1]
    inside = audio[..., max(start, 0) : max(min(start + length, time), 0)]
    left = min(max(-start, 0), length)
    return functional.pad(inside, (left, max(length - left - inside.shape[-1], 0)))[..., :length]
