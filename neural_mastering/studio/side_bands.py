"""Stereo width in several bands as second-order sections, exact in level.

The renderer's bands of the side have zero phase (`dsp.crossover`): with y = tan⁴(ω/2) and k_i the same of the
crossovers, the side is multiplied by

    W(y) = N(y)/D(y),    D = Π_i (k_i + y),    N = Σ_b width_b·y^b·(k_b)·Π_{i > b} (k_i + y)

(without the k_b for the last band). On the bilinear frequency axis s = j·tan(ω/2), y = s⁴. N isn't negative, so
N(s⁴) = P(s)·P(−s) with the roots of P in the left half plane, and |P(s)²/Q(s)²| = W: a minimum-phase filter of two
sections a crossover, repeated once, without latency. What differs from the renderer is the phase of the side.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.rbj import Float64s
from neural_mastering.dsp.sections import sections_response
from neural_mastering.units import gain_to_db

Complexes = NDArray[np.complex128]

_FLOOR = 1e-3  # −60 dB: where the side is this much quieter, a deviation in dB says nothing


def side_bands_sections(
    widths: Sequence[float], crossovers_hz: Sequence[float], sample_rate: float
) -> Float64s:
    """Second-order sections (2·crossover, 6) for the side.

    Raises:
        ValueError: widths below 0 or not one more than crossovers; crossovers that don't rise between 0 and half
            the sample rate.
    """
    given = list(crossovers_hz)
    if not given or sorted(set(given)) != given or given[0] <= 0.0 or given[-1] >= sample_rate / 2.0:
        raise ValueError(f"crossovers must rise and lie between 0 and {sample_rate / 2.0:g} Hz; got {given}")
    if len(widths) != len(given) + 1 or min(widths) < 0.0:
        raise ValueError(f"expected {len(given) + 1} widths of 0 or more, got {list(widths)}")
    numerator, edges = _polynomial(widths, given, sample_rate)
    if not numerator.any():
        return np.array([[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]])
    zeros = np.repeat(_left_half(np.roots(numerator).astype(complex)), 2)
    poles = np.repeat(_left_half(-edges.astype(complex)), 2)
    gain = numerator[np.flatnonzero(numerator)[0]]
    from scipy.signal import bilinear_zpk, zpk2sos  # takes a second to load

    digital = bilinear_zpk(zeros, poles, gain, fs=0.5)  # s = (z − 1)/(z + 1)
    return np.asarray(zpk2sos(*digital), dtype=np.float64)


def side_bands_gain(
    widths: Sequence[float], crossovers_hz: Sequence[float], at_hz: Float64s, sample_rate: float
) -> Float64s:
    """W, the factor of the side at frequencies (frequency,)."""
    numerator, edges = _polynomial(widths, crossovers_hz, sample_rate)
    y = np.tan(np.pi * np.asarray(at_hz) / sample_rate) ** 4
    return np.polyval(numerator, y) / np.prod(y[:, None] + edges, axis=1)


def side_bands_deviation_db(
    sections: Float64s, widths: Sequence[float], crossovers_hz: Sequence[float], sample_rate: float
) -> float:
    """Largest deviation of sections from W in dB, 10 Hz to 0.45 of the rate, where the side is above −60 dB."""
    at_hz = np.geomspace(10.0, 0.45 * sample_rate, 256)
    wanted = side_bands_gain(widths, crossovers_hz, at_hz, sample_rate)
    found = np.abs(sections_response(sections, at_hz, sample_rate))
    loud = wanted > _FLOOR
    return float(np.abs(gain_to_db(found[loud] / wanted[loud])).max(initial=0.0))


def _polynomial(
    widths: Sequence[float], crossovers_hz: Sequence[float], sample_rate: float
) -> tuple[Float64s, Float64s]:
    """N with the highest power first, and the k_i."""
    edges = np.tan(np.pi * np.asarray(crossovers_hz, dtype=np.float64) / sample_rate) ** 4
    total = np.zeros(len(edges) + 1)
    for band, width in enumerate(widths):
        part = np.array([width, *np.zeros(band)])
        if band < len(edges):
            part = part * edges[band]
        for edge in edges[band + 1 :]:
            part = np.polymul(part, [1.0, edge])
        total[len(total) - len(part) :] += part
    return total, edges


def _left_half(y: Complexes) -> Complexes:
    """Of the four fourth roots of each y, the two in the left half plane; their conjugates are exact."""
    found: list[complex] = []
    for root in y[y.imag >= 0.0]:
        turned = np.angle(root) / 4.0 + 0.5 * np.pi * np.arange(4)
        radius = abs(root) ** 0.25
        left = radius * np.exp(1j * turned[np.argsort(np.cos(turned))[:2]])
        if root.imag == 0.0:  # y < 0: a pair at ±135°
            found += [complex(left[0]), complex(left[0].conjugate())]
        else:
            found += [c for s in left for c in (complex(s), complex(s.conjugate()))]
    return np.array(found, dtype=complex)
