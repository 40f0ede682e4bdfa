"""The mel scale and triangular filter banks on it."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

MelScale = Literal["slaney", "htk"]

_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_BREAK_HZ, _BREAK_MEL = 1000.0, 15.0
_LOG_STEP = math.log(6.4) / 27.0


def hz_to_mel(frequency_hz: Tensor, scale: MelScale = "slaney") -> Tensor:
    """Mel value of frequencies in Hz.

    slaney: 3f/200 up to 1 kHz, then 15 + 27·ln(f/1000)/ln 6.4;  htk: 2595·log10(1 + f/700).

    Sources: M. Slaney, "Auditory Toolbox", Interval Research TR 1998-010, function MakeMFCC;
    S. Young et al., "The HTK Book", version 3.4, section 5.4.

    Examples:
        >>> import torch
        >>> hz_to_mel(torch.tensor([1_000.0, 6_400.0]))
        tensor([15., 42.])
        >>> hz_to_mel(torch.tensor([1_000.0]), scale="htk")
        tensor([1000.0])
    """
    if scale == "htk":
        return 2595.0 * torch.log10(1.0 + frequency_hz / 700.0)
    logarithmic = _BREAK_MEL + torch.log(frequency_hz.clamp(min=_BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return torch.where(frequency_hz < _BREAK_HZ, frequency_hz / _LINEAR_HZ_PER_MEL, logarithmic)


def mel_to_hz(mel: Tensor, scale: MelScale = "slaney") -> Tensor:
    """The inverse of `hz_to_mel`."""
    if scale == "htk":
        return 700.0 * (torch.pow(10.0, mel / 2595.0) - 1.0)
    logarithmic = _BREAK_HZ * torch.exp((mel.clamp(min=_BREAK_MEL) - _BREAK_MEL) * _LOG_STEP)
    return torch.where(mel < _BREAK_MEL, mel * _LINEAR_HZ_PER_MEL, logarithmic)


def mel_filterbank(
    fft_size: int,
    sample_rate: float,
    bands: int,
    low_hz: float = 0.0,
    high_hz: float | None = None,
    scale: MelScale = "slaney",
    unit_area: bool = True,
) -> Float[Tensor, "band frequency"]:
    """Weights of triangles, evenly spaced in mel, on the power spectrum of an FFT; float64.

    Band b rises from edge b to edge b + 1 and falls to edge b + 2, linearly in Hz.

    Args:
        fft_size: the spectrum has fft_size//2 + 1 bins.
        sample_rate: in Hz.
        bands: number of triangles.
        low_hz, high_hz: first and last edge; by default 0 and half the sample rate.
        scale: "slaney" or "htk".
        unit_area: triangles of area 1 in Hz (Slaney) instead of height 1.

    Raises:
        ValueError: edges out of order, or triangles so narrow that one contains no bin.
    """
    high_hz = sample_rate / 2.0 if high_hz is None else high_hz
    if not 0.0 <= low_hz < high_hz <= sample_rate / 2.0:
        raise ValueError(
            f"expected 0 ≤ low_hz < high_hz ≤ {sample_rate / 2.0:g} Hz (half the sample rate); "
            f"got {low_hz:g} and {high_hz:g}"
        )
    ends = hz_to_mel(torch.tensor([low_hz, high_hz], dtype=torch.float64), scale)
    mels = torch.linspace(float(ends[0]), float(ends[1]), bands + 2, dtype=torch.float64)
    edges = mel_to_hz(mels, scale)
    at_hz = torch.arange(fft_size // 2 + 1, dtype=torch.float64) * (sample_rate / fft_size)
    left, centre, right = (edges[i : i + bands, None] for i in range(3))
    weights = torch.minimum((at_hz - left) / (centre - left), (right - at_hz) / (right - centre)).clamp(
        min=0.0
    )
    empty = torch.nonzero(weights.sum(dim=1) == 0.0).flatten().tolist()
    if empty:
        raise ValueError(
            f"{bands} mel bands are too narrow for an FFT of {fft_size} at {sample_rate:g} Hz: band "
            f"{empty[0]} contains no bin; use fewer bands or a longer FFT"
        )
    return weights * (2.0 / (right - left)) if unit_area else weights
