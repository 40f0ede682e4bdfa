"""Cascades of second-order sections: the one formula for their frequency response."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neural_mastering.units import gain_to_db

Float64s = NDArray[np.float64]


def sections_response(sections: ArrayLike, at_hz: ArrayLike, sample_rate: float) -> NDArray[np.complex128]:
    """Complex response H(e^jω) of a cascade, (frequency,); 1 without sections.

        H(z) = Π (b0 + b1·z⁻¹ + b2·z⁻²) / (a0 + a1·z⁻¹ + a2·z⁻²)        ω = 2π·f/sample_rate

    Args:
        sections: (section, 6) rows b0, b1, b2, a0, a1, a2, as in `scipy.signal`.
        at_hz: (frequency,) in Hz.
        sample_rate: in Hz, of the sections.

    Raises:
        ValueError: sections that are not rows of six numbers.

    >>> half = [[0.5, 0.5, 0.0, 1.0, 0.0, 0.0]]
    >>> np.abs(sections_response(half, [0.0, 12_000.0], 24_000.0)).round(6)
    array([1., 0.])
    """
    rows = np.asarray(sections, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != 6:
        raise ValueError(f"expected sections (section, 6), got shape {rows.shape}")
    w = 2.0 * np.pi * np.asarray(at_hz, dtype=np.float64) / sample_rate
    powers = np.exp(-1j * w[:, None] * np.arange(3))
    return np.prod((powers @ rows[:, :3].T) / (powers @ rows[:, 3:].T), axis=1)


def sections_level_db(sections: ArrayLike, at_hz: ArrayLike, sample_rate: float) -> Float64s:
    """Level of `sections_response` in dB, (frequency,); −inf where the response is zero."""
    return gain_to_db(np.abs(sections_response(sections, at_hz, sample_rate)))
