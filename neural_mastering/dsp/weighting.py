"""Frequency weightings: A (IEC 61672-1) and K (ITU-R BS.1770).

A-weighting, normalised to 0 dB at 1 kHz, with p = 20.598997, 107.65265, 737.86223 and 12194.217 Hz:

    R(f) = p4²·f⁴ / [(f² + p1²)·√((f² + p2²)·(f² + p3²))·(f² + p4²)],   A(f) = 20·log10(R(f) / R(1 kHz))

Source: IEC 61672-1:2013, annex E. K-weighting is a high shelf of about +4 dB and a high-pass at 38 Hz, given
by BS.1770 for 48 kHz only; the analogue parameters behind that table give the same filter at other rates.
Source: ITU-R BS.1770-5, annex 1, and B. De Man, "Evaluation of implementations of the EBU R128 loudness
measurement", AES 145 (2018).
"""

import math

import numpy as np
import torch
from torch import Tensor

from neural_mastering.units import gain_to_db

A_POLES_HZ = (20.598997, 107.65265, 737.86223, 12194.217)
LOWEST_RATE_HZ = 8000

_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_SHELF_MID_EXPONENT = 0.4996667741545416
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773


def a_weighting_gain(frequency_hz: Tensor) -> Tensor:
    """Amplitude ratio of the A-weighting at frequencies of any shape: 1 at 1 kHz, 0 at 0 Hz."""
    return _a_ratio(frequency_hz.abs()) / _a_ratio(torch.full_like(frequency_hz, 1000.0))


def a_weighting_db(frequency_hz: Tensor) -> Tensor:
    """Level of the A-weighting in dB at frequencies of any shape: 0 dB at 1 kHz, −inf at 0 Hz."""
    return gain_to_db(a_weighting_gain(frequency_hz))


def k_weighting_sections(sample_rate: float) -> np.ndarray:
    """The two biquads of the K-weighting as float64 rows [b0, b1, b2, 1, a1, a2]: shelf, high-pass.

    At 48 kHz they are tables 1 and 2 of BS.1770. The high-pass has the numerator [1, −2, 1] at every rate.

    Raises:
        ValueError: a rate below 8 kHz, which leaves no room for the shelf.
    """
    if not sample_rate >= LOWEST_RATE_HZ:
        raise ValueError(f"K-weighting needs a rate of {LOWEST_RATE_HZ} Hz or more; got {sample_rate:g} Hz")
    k = math.tan(math.pi * _SHELF_HZ / sample_rate)
    high = 10.0 ** (_SHELF_DB / 20.0)
    middle = high**_SHELF_MID_EXPONENT
    a0 = 1.0 + k / _SHELF_Q + k * k
    shelf = [
        (high + middle * k / _SHELF_Q + k * k) / a0,
        2.0 * (k * k - high) / a0,
        (high - middle * k / _SHELF_Q + k * k) / a0,
        1.0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / _SHELF_Q + k * k) / a0,
    ]
    k = math.tan(math.pi * _HIGH_PASS_HZ / sample_rate)
    a0 = 1.0 + k / _HIGH_PASS_Q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / _HIGH_PASS_Q + k * k) / a0]
    return np.array([shelf, high_pass])


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
