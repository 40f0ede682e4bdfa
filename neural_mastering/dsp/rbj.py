"""The RBJ peaking and shelving biquads in numpy alone: coefficients and closed-form levels.

The same curves as `dsp.biquad`, for code that renders or exports and needs neither gradients nor torch. With
A = 10^(dB/40), α = sin ω0/(2Q), s = sin ω, d = cos ω − cos ω0, S = sin²(ω0/2)·cos²(ω/2), C = cos²(ω0/2)·sin²(ω/2)
and k = ½·√A·α·s:

    peak         |H|² = (d² + (Aαs)²) / (d² + (αs/A)²)
    low shelf    |H|² = A²·[(AS − C)² + k²] / [(S − AC)² + k²]
    high shelf   the same with the brackets swapped

Source: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neural_mastering.units import DB_PER_NEPER, db_to_gain

Float64s = NDArray[np.float64]

Kind = Literal["low_shelf", "peak", "high_shelf"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def sections(
    kinds: Sequence[str], frequency_hz: ArrayLike, gain_db: ArrayLike, q: ArrayLike, sample_rate: float
) -> Float64s:
    """Second-order sections (band, 6): b0, b1, b2, 1, a1, a2.

    Raises:
        ValueError: lists of different lengths, an unknown kind, a frequency outside (0, sample_rate/2), Q ≤ 0.

    Examples:
        The gain of a peak's section at its centre frequency is the gain of the band:

        >>> section = sections(["peak"], [1_000.0], [6.0], [1.0], 44_100)[0]
        >>> z = np.exp(-2j * np.pi * 1_000 / 44_100 * np.arange(3))
        >>> 20 * np.log10(abs((section[:3] @ z) / (section[3:] @ z)))
        np.float64(6.000)
    """
    frequency, gain, quality = checked_bands(kinds, frequency_hz, gain_db, q)
    if np.any(frequency >= sample_rate / 2.0):
        raise ValueError(f"frequencies must stay below {sample_rate / 2.0:g} Hz, got {frequency.max():g} Hz")
    by_kind = _coefficients(frequency, gain, quality, sample_rate)
    table = np.zeros((len(kinds), 6))
    for band, kind in enumerate(kinds):
        numerator, denominator = by_kind[kind]
        table[band] = [c[band] for c in (*numerator, *denominator)]
    return table / table[:, 3:4]


def pole_radius(
    kinds: Sequence[str], frequency_hz: ArrayLike, gain_db: ArrayLike, q: ArrayLike, sample_rate: float
) -> float:
    """Distance from 0 of the slowest pole of any band; 0 without bands. Arrays are (…, band).

    Raises:
        ValueError: a Q not above 0, or numbers that are not finite.
    """
    frequency, gain, quality = (np.asarray(c, dtype=np.float64) for c in (frequency_hz, gain_db, q))
    if np.any(quality <= 0.0) or not all(np.isfinite(c).all() for c in (frequency, gain, quality)):
        raise ValueError("Qs must be finite and above 0, frequencies and gains finite")
    by_kind = _coefficients(frequency, gain, quality, sample_rate)
    slowest = 0.0
    for band, kind in enumerate(kinds):
        a0, a1, a2 = (np.atleast_1d(c[..., band]).ravel() for c in by_kind[kind][1])
        half, product = -a1 / (2.0 * a0), a2 / a0
        radius = np.abs(half.astype(complex) + np.sqrt((half**2 - product).astype(complex)))
        slowest = max(slowest, float(radius.max(initial=0.0)))
    return slowest


Coefficients = tuple[Float64s, Float64s, Float64s]


def _coefficients(
    frequency_hz: Float64s, gain_db: Float64s, q: Float64s, sample_rate: float
) -> dict[str, tuple[Coefficients, Coefficients]]:
    """The cookbook's b0, b1, b2 and a0, a1, a2 of every kind; arrays of any shape."""
    w0 = 2.0 * np.pi * frequency_hz / sample_rate
    cosine, alpha, a = np.cos(w0), np.sin(w0) / (2.0 * q), db_to_gain(0.5 * gain_db)
    up, down, root = a + 1.0, a - 1.0, 2.0 * np.sqrt(a) * alpha
    return {
        "peak": (
            (1.0 + alpha * a, -2.0 * cosine, 1.0 - alpha * a),
            (1.0 + alpha / a, -2.0 * cosine, 1.0 - alpha / a),
        ),
        "low_shelf": (
            (
                a * (up - down * cosine + root),
                2.0 * a * (down - up * cosine),
                a * (up - down * cosine - root),
            ),
            (up + down * cosine + root, -2.0 * (down + up * cosine), up + down * cosine - root),
        ),
        "high_shelf": (
            (
                a * (up + down * cosine + root),
                -2.0 * a * (down + up * cosine),
                a * (up + down * cosine - root),
            ),
            (up - down * cosine + root, 2.0 * (down - up * cosine), up - down * cosine - root),
        ),
    }


def log_levels(
    kinds: Sequence[str],
    frequency_hz: ArrayLike,
    gain_db: ArrayLike,
    q: ArrayLike,
    at_hz: ArrayLike,
    sample_rate: float,
) -> Float64s:
    """ln|H| of each band (band, frequency) at the frequencies `at_hz`, from 0 to half the sample rate."""
    columns = checked_bands(kinds, frequency_hz, gain_db, q)
    frequency, gain, quality = (c[:, None] for c in columns)
    w = 2.0 * np.pi * np.asarray(at_hz, dtype=np.float64)[None] / sample_rate
    w0 = 2.0 * np.pi * frequency / sample_rate
    a, width = db_to_gain(0.5 * gain), np.sin(w0) / (2.0 * quality) * np.sin(w)
    d = 2.0 * np.sin((w0 + w) / 2.0) * np.sin((w0 - w) / 2.0)
    s = np.sin(w0 / 2.0) ** 2 * np.cos(w / 2.0) ** 2
    c = np.cos(w0 / 2.0) ** 2 * np.sin(w / 2.0) ** 2
    k2 = 0.25 * a * width**2
    low_part, high_part = (a * s - c) ** 2 + k2, (s - a * c) ** 2 + k2
    # A peak's two sides vanish together only where ω = ω0 and sin ω = 0, which the range of ω0 excludes.
    peak = 0.5 * np.log((d**2 + (a * width) ** 2) / (d**2 + (width / a) ** 2))
    shelf, kind = 0.5 * np.log(low_part / high_part), np.array(kinds)[:, None]
    return np.where(kind == "peak", peak, np.log(a) + np.where(kind == "low_shelf", shelf, -shelf))


def level_db(
    kinds: Sequence[str],
    frequency_hz: ArrayLike,
    gain_db: ArrayLike,
    q: ArrayLike,
    at_hz: ArrayLike,
    sample_rate: float,
) -> Float64s:
    """Level of the cascade in dB (frequency,); 0 without bands. See `log_levels`."""
    return DB_PER_NEPER * log_levels(kinds, frequency_hz, gain_db, q, at_hz, sample_rate).sum(axis=0)


def checked_bands(
    kinds: Sequence[str], frequency_hz: ArrayLike, gain_db: ArrayLike, q: ArrayLike
) -> tuple[Float64s, Float64s, Float64s]:
    """Frequencies, gains and Qs as float64 (band,).

    Raises:
        ValueError: lists of different lengths, an unknown kind, numbers that are not finite, f or Q not above 0.
    """
    columns = [np.asarray(c, dtype=np.float64).reshape(-1) for c in (frequency_hz, gain_db, q)]
    if any(len(c) != len(kinds) for c in columns):
        raise ValueError(f"{len(kinds)} kinds but {', '.join(str(len(c)) for c in columns)} numbers")
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ValueError(f"unknown kind {unknown[0]!r}: expected one of {', '.join(KINDS)}")
    frequency, gain, quality = columns
    if not all(np.isfinite(c).all() for c in columns) or np.any(frequency <= 0.0) or np.any(quality <= 0.0):
        raise ValueError("frequencies and Qs must be finite and above 0, gains finite")
    return frequency, gain, quality
