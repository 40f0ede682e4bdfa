"""Frequency weightings: A (IEC 61672-1) and K (ITU-R BS.1770).

A-weighting, normalised to 0 dB at 1 kHz, with p = 20.598997, 107.65265, 737.86223 and 12194.217 Hz:

    R(f) = p4²·f⁴ / [(f² + p1²)·√((f² + p2²)·(f² + p3²))·(f² + p4²)],   A(f) = 20·log10(R(f) / R(1 kHz))

Source: IEC 61672-1:2013, annex E. The coefficients of the K-weighting are in `k_weighting`.
"""

import math

import torch
from torch import Tensor

from neural_mastering.dsp.k_weighting import LOWEST_RATE_HZ, k_weighting_sections
from neural_mastering.units import gain_to_db

__all__ = [
    "LOWEST_RATE_HZ",
    "a_weighting_db",
    "a_weighting_gain",
    "k_weighting_db",
    "k_weighting_sections",
]

A_POLES_HZ = (20.598997, 107.65265, 737.86223, 12194.217)


def a_weighting_gain(frequency_hz: Tensor) -> Tensor:
    """Amplitude ratio of the A-weighting at frequencies of any shape: 1 at 1 kHz, 0 at 0 Hz."""
    return _a_ratio(frequency_hz.abs()) / _a_ratio(torch.full_like(frequency_hz, 1000.0))


def a_weighting_db(frequency_hz: Tensor) -> Tensor:
    """Level of the A-weighting in dB at frequencies of any shape: 0 dB at 1 kHz, −inf at 0 Hz.

    Examples:
        The table of IEC 61672-1 says −19.1, 0 and −2.5 dB:

        >>> import torch
        >>> a_weighting_db(torch.tensor([100.0, 1_000.0, 10_000.0]))
        tensor([-19.1,   0.0,  -2.5])
    """
    return gain_to_db(a_weighting_gain(frequency_hz))


def k_weighting_db(frequency_hz: Tensor, sample_rate: float) -> Tensor:
    """Level of the K-weighting in dB at frequencies of any shape, at a sample rate; −inf at 0 Hz."""
    w = frequency_hz.double() * (2.0 * math.pi / sample_rate)
    level = torch.zeros_like(w)
    for section in k_weighting_sections(sample_rate).tolist():
        for coefficients, sign in ((section[:3], 1.0), (section[3:], -1.0)):
            level = level + sign * gain_to_db(_polynomial_magnitude(coefficients, w))
    return level.to(frequency_hz.dtype)


def _polynomial_magnitude(coefficients: list[float], w: Tensor) -> Tensor:
    """|c0 + c1·z⁻¹ + c2·z⁻²| at z = e^{jω}, as the distance from (c0 + c2)·cos ω + c1 and (c0 − c2)·sin ω."""
    c0, c1, c2 = coefficients
    # (c0 + c2)·cos ω + c1, without the difference of near-equal numbers at low frequencies
    real = (c0 + c1 + c2) - 2.0 * (c0 + c2) * torch.sin(w / 2.0) ** 2
    return torch.hypot(real, (c0 - c2) * torch.sin(w))


def _a_ratio(frequency_hz: Tensor) -> Tensor:
    """R(f) as a product of ratios, so that float32 neither overflows nor loses digits."""
    p1, p2, p3, p4 = A_POLES_HZ
    square = frequency_hz.square()
    return (
        (square / (square + p1**2))
        * (frequency_hz / torch.sqrt(square + p2**2))
        * (frequency_hz / torch.sqrt(square + p3**2))
        * (p4**2 / (square + p4**2))
    )
