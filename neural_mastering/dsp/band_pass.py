"""The RBJ band-pass with 0 dB at its centre, and the same filter at another sample rate.

With α = sin ω0/(2Q), s = sin ω and d = cos ω − cos ω0 = 2·sin((ω0+ω)/2)·sin((ω0−ω)/2):

    H = jαs / (d + jαs)

so that 1 + (G − 1)·H = (d + jGαs) / (d + jαs): with G = 10^(dB/20) that is the RBJ peaking filter of dB and
Q/√G. A band-pass that is scaled and added to its input is a peaking filter at every gain.

Source: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", BPF with constant 0 dB
peak gain. The fit at other rates is that of C. K. Sanathanan, J. Koerner, "Transfer function synthesis as a ratio
of two complex polynomials", IEEE Trans. Automatic Control 8, 1963.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from neural_mastering.dsp.rate_match import MATCH_UP_TO_HZ
from neural_mastering.dsp.rbj import Float64s
from neural_mastering.shapes import PerItem, Response

ORDER = 3
"""Of the filters of `filter_at_rate`; the band-pass itself has 2."""

_DEEPEST_CUT = 0.25  # the fit is weighted for a gain of −12 dB at the centre
_EDGE = 0.9  # the fit ends at this share of a Nyquist frequency below `MATCH_UP_TO_HZ`
_ITERATIONS = 8
_FASTEST_EXTRA_POLE = 0.995  # radius that a pole may have although the band-pass decays faster


def response(frequency_hz: PerItem, q: PerItem, at_hz: Tensor, sample_rate: float) -> Response:
    """Complex response (batch, frequency) of one band-pass an item at the frequencies `at_hz` (frequency,).

    Args:
        frequency_hz: (batch,) centres, between 0 and sample_rate/2.
        q: (batch,) quality factors, above 0.
        at_hz: from 0 to sample_rate/2.
        sample_rate: in Hz.
    """
    w = at_hz.to(frequency_hz) * (2.0 * math.pi / sample_rate)
    w0 = (frequency_hz * (2.0 * math.pi / sample_rate))[:, None]
    d = 2.0 * torch.sin((w0 + w) / 2.0) * torch.sin((w0 - w) / 2.0)
    width = torch.sin(w0) / (2.0 * q[:, None]) * torch.sin(w)
    return torch.complex(torch.zeros_like(width), width) / torch.complex(d, width)


@lru_cache(maxsize=256)
def filter_at_rate(frequency_hz: float, q: float, design_rate_hz: float, sample_rate: float) -> Float64s:
    """Coefficients (8,), b0…b3, 1, a1…a3, of the band-pass of one rate at another.

    At the design rate they are RBJ's. Elsewhere a filter of third order is fitted to the complex response up to
    16 kHz, for a bilinear transform squeezes curves near half the sample rate: used as in `dsp.dynamic_eq`, RBJ's
    own coefficients would change the level by up to 4.4 dB between 44.1 and 96 kHz. From 44.1 kHz to 48…192 kHz
    the fit stays within 0.1 dB below 16 kHz (60 Hz…16 kHz, Q 0.5…8, −12…+6 dB). Below the design rate there is
    not always a stable filter of third order; the second order leaves up to 0.35 dB from 48 to 44.1 kHz, 1.3 dB
    from 96 to 44.1 kHz and, below 0.8 of the Nyquist frequency, 1 dB from 44.1 to 32 kHz and 1.5 dB to 8…24 kHz.
    A band above the Nyquist frequency that no stable filter describes is left out (zeros).

    Args:
        frequency_hz: centre, between 0 and design_rate_hz/2.
        q: quality factor at the design rate, above 0.
        design_rate_hz: the rate at which frequency and Q mean their curve.
        sample_rate: the rate to filter at.

    Raises:
        ValueError: a frequency outside (0, design_rate_hz/2), or a Q that is not above 0.
    """
    if not (0.0 < frequency_hz < design_rate_hz / 2.0 and q > 0.0):
        raise ValueError(
            f"a band-pass needs a frequency between 0 and {design_rate_hz / 2.0:g} Hz and a Q above 0; got "
            f"{frequency_hz:g} Hz and {q:g}"
        )
    if sample_rate == design_rate_hz:
        return _rbj(frequency_hz, q, sample_rate)
    design = _rbj(frequency_hz, q, design_rate_hz)
    grid_hz = _grid(frequency_hz, q, min(MATCH_UP_TO_HZ, _EDGE * sample_rate / 2.0))
    wanted = _response(design, grid_hz, design_rate_hz)
    slowest = math.sqrt(abs(design[6])) ** (design_rate_hz / sample_rate)
    for order in (ORDER, 2):
        fitted = _fitted(wanted, 2.0 * np.pi * grid_hz / sample_rate, order)
        radius = float(np.abs(np.roots(fitted[4:])).max())
        if radius < max(_FASTEST_EXTRA_POLE, slowest + 0.1 * (1.0 - slowest)):
            return fitted
    return (
        _rbj(frequency_hz, q, sample_rate) if frequency_hz < 0.47 * sample_rate else np.eye(1, 8, 4).ravel()
    )


def _rbj(frequency_hz: float, q: float, sample_rate: float) -> Float64s:
    w0 = 2.0 * math.pi * frequency_hz / sample_rate
    alpha = math.sin(w0) / (2.0 * q)
    b, a1, a2 = alpha / (1.0 + alpha), -2.0 * math.cos(w0) / (1.0 + alpha), (1.0 - alpha) / (1.0 + alpha)
    return np.array([b, 0.0, -b, 0.0, 1.0, a1, a2, 0.0])


def _response(coefficients: Float64s, at_hz: Float64s, sample_rate: float) -> np.ndarray:
    """Complex response (frequency,) of coefficients (8,)."""
    powers = np.exp(-2j * np.pi * np.outer(at_hz / sample_rate, np.arange(4)))
    return (powers @ coefficients[:4]) / (powers @ coefficients[4:])


def _grid(frequency_hz: float, q: float, edge_hz: float) -> Float64s:
    """Frequencies in Hz up to the edge, dense around the centre."""
    near = frequency_hz * np.exp(0.5 / q * np.array([-4, -2, -1, -0.5, -0.25, 0, 0.25, 0.5, 1, 2, 4]))
    parts = (np.geomspace(20.0, edge_hz, 60), np.linspace(edge_hz / 60.0, edge_hz, 100), near[near < edge_hz])
    return np.sort(np.concatenate(parts))


def _fitted(wanted: np.ndarray, w: Float64s, order: int) -> Float64s:
    """Coefficients (8,) whose response at ω comes nearest to `wanted`.

    Σ |weight·(B − wanted·A)|² is linear in the coefficients; with 1/|A| of the step before in the weight it
    becomes the error of B/A.
    """
    powers = np.exp(-1j * np.outer(w, np.arange(order + 1)))
    effect = 1.0 / np.abs(1.0 - (1.0 - _DEEPEST_CUT) * wanted)
    denominator = np.ones_like(wanted)
    found = np.zeros(2 * order + 1)
    for _ in range(_ITERATIONS):
        weight = (effect / np.abs(denominator))[:, None]
        matrix = np.concatenate([powers, -wanted[:, None] * powers[:, 1:]], axis=1) * weight
        target = wanted * weight[:, 0]
        found = np.linalg.lstsq(
            np.concatenate([matrix.real, matrix.imag]), np.concatenate([target.real, target.imag]), rcond=None
        )[0]
        denominator = powers @ np.concatenate([[1.0], found[order + 1 :]])
    coefficients = np.zeros(8)
    coefficients[: order + 1], coefficients[4] = found[: order + 1], 1.0
    coefficients[5 : 5 + order] = found[order + 1 :]
    return coefficients
