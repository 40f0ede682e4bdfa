"""An equaliser designed at one sample rate, rendered at another with the same curve.

RBJ biquads are bilinear transforms: near half the sample rate their curves are squeezed, so the same frequencies,
gains and Qs give other curves at 44.1 and 96 kHz (by up to 1.8 dB for a peak of 6 dB). Here the *curve* of the
design rate is kept:

1. Each band becomes an analogue prototype H = g·(s² + s·wz/Qz + wz²) / (s² + s·wp/Qp + wp²) behind a bilinear
   transform at the new rate. ln g, ln wz, ln Qz, ln wp and ln Qp are fitted to the band's level at the design
   rate by damped least squares, from the RBJ prototype as the start. Frequencies and Qs are exponentials, so
   every candidate is stable and minimum phase; a small price on leaving the start keeps Qs where they were.
2. What is left of the whole cascade is fitted by up to four further such sections.

Above half the design rate the design has no curve: the level it has there is held, with little weight. At a lower
rate than the design's, the part of the curve below the new Nyquist frequency is matched, whatever the bands'
frequencies are.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from neural_mastering.dsp import rbj
from neural_mastering.dsp.rbj import Float64s
from neural_mastering.dsp.sections import sections_level_db
from neural_mastering.units import DB_PER_NEPER, db_to_gain

MATCH_UP_TO_HZ = 16_000.0
"""The promise of 0.3 dB ends here."""

_GOOD_ENOUGH_DB = 0.05
_BAND_STEPS, _CORRECTION_STEPS = 14, 25
_PRICE = 0.02  # of one neper away from the start, in nepers of level
_CORRECTION_PRICE = 0.01


def sections_at_rate(
    kinds: Sequence[str],
    frequency_hz: ArrayLike,
    gain_db: ArrayLike,
    q: ArrayLike,
    design_rate_hz: float,
    sample_rate: float,
) -> Float64s:
    """Second-order sections (section, 6) with the curve that the bands have at the design rate.

    Bands at 0 dB are left out. At the design rate these are the RBJ sections themselves; elsewhere there may be up
    to four more sections than bands. Below `MATCH_UP_TO_HZ`, or the Nyquist frequency where that is lower, the
    deviation stays under 0.3 dB for equalisers in the ranges of `ParametricEQ` at 32 to 192 kHz;
    `max_deviation_db` tells what it is.

    Args:
        kinds: "low_shelf", "peak" or "high_shelf" of each band.
        frequency_hz, gain_db, q: (band,); frequencies below half the design rate.
        design_rate_hz: the rate at which the bands mean their curve.
        sample_rate: the rate to render at.

    Raises:
        ValueError: bands that do not fit together, or a frequency outside (0, design_rate_hz/2).

    Examples:
        A peak that was set at 44.1 kHz, rendered at 96 kHz. Below 16 kHz the cookbook's own coefficients miss the
        curve by 1.9 dB, the matched ones by 0.02 dB:

        >>> band = (["peak"], [12_000.0], [6.0], [1.0])
        >>> max_deviation_db(rbj.sections(*band, 96_000), *band, 44_100, 96_000)
        1.9
        >>> max_deviation_db(sections_at_rate(*band, 44_100, 96_000), *band, 44_100, 96_000)
        0.02
    """
    columns = rbj.checked_bands(kinds, frequency_hz, gain_db, q)
    active = np.flatnonzero(columns[1])
    if active.size == 0:
        return np.zeros((0, 6))
    kept = [kinds[int(i)] for i in active]
    frequency, gain, quality = (c[active] for c in columns)
    designed = rbj.sections(kept, frequency, gain, quality, design_rate_hz)
    if sample_rate == design_rate_hz:
        return designed
    grid_hz, weight = _grid(design_rate_hz, sample_rate, frequency, gain, quality)
    wanted = rbj.log_levels(
        kept, frequency, gain, quality, np.minimum(grid_hz, 0.49999 * design_rate_hz), design_rate_hz
    )
    squared = np.tan(np.pi * grid_hz / sample_rate) ** 2
    start = _prototypes(kept, frequency, gain, quality, sample_rate)
    bands, level = _fit(wanted, squared, weight, start, _PRICE, _BAND_STEPS)
    missing = (wanted - level).sum(axis=0, keepdims=True)
    return _to_sections(
        np.concatenate([bands.reshape(-1, 5), _corrections(missing, grid_hz, weight, sample_rate)])
    )


def max_deviation_db(
    sections: Float64s,
    kinds: Sequence[str],
    frequency_hz: ArrayLike,
    gain_db: ArrayLike,
    q: ArrayLike,
    design_rate_hz: float,
    sample_rate: float,
    high_hz: float = MATCH_UP_TO_HZ,
    low_hz: float = 10.0,
) -> float:
    """Largest deviation in dB of sections from the bands' curve at the design rate, from `low_hz` to `high_hz`.

    Where a Nyquist frequency is lower than `high_hz`, up to that.
    """
    highest = min(high_hz, 0.49999 * min(design_rate_hz, sample_rate))
    at_hz = np.concatenate([np.geomspace(low_hz, highest, 1500), np.linspace(low_hz, highest, 1500)])
    wanted = rbj.level_db(kinds, frequency_hz, gain_db, q, at_hz, design_rate_hz)
    return float(np.abs(sections_level_db(sections, at_hz, sample_rate) - wanted).max())


def _grid(
    design_rate_hz: float, sample_rate: float, frequency_hz: Float64s, gain_db: Float64s, q: Float64s
) -> tuple[Float64s, Float64s]:
    """Frequencies in Hz and weights: dense at the bands and towards the end of the promise, light above."""
    nyquist_hz = min(design_rate_hz, sample_rate) / 2.0
    edge_hz = min(MATCH_UP_TO_HZ, 0.9999 * nyquist_hz)
    width = 0.5 / (q * db_to_gain(0.5 * np.abs(gain_db)))  # of the narrower of poles and zeros, as a ratio
    near_hz = (
        frequency_hz[:, None] * np.exp(width[:, None] * np.array([-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0]))
    ).ravel()
    parts = [(near_hz[(near_hz > 20.0) & (near_hz < edge_hz)], 1.0)]
    parts.append((np.geomspace(20.0, edge_hz / 8.0, 24, endpoint=False), 1.0))
    parts.append((edge_hz * np.sin(np.pi / 2.0 * np.linspace(0.08, 1.0, 72)), 1.0))
    if nyquist_hz > 1.02 * edge_hz:
        parts.append((np.linspace(1.01 * edge_hz, 0.999 * nyquist_hz, 16), 0.15))
    if sample_rate > 1.02 * design_rate_hz:
        parts.append((np.linspace(1.01 * nyquist_hz, 0.4995 * sample_rate, 16), 0.05))
    frequencies = np.concatenate([part for part, _ in parts])
    return frequencies, np.concatenate([np.full(len(part), weight) for part, weight in parts])


def _prototypes(
    kinds: Sequence[str], frequency_hz: Float64s, gain_db: Float64s, q: Float64s, sample_rate: float
) -> Float64s:
    """The RBJ prototypes (band, 5) at the new rate: ln g, ln wz, ln Qz, ln wp, ln Qp."""
    a, kind = db_to_gain(0.5 * gain_db), np.array(kinds)
    warped = np.tan(np.pi * np.minimum(frequency_hz / sample_rate, 0.47))
    step = np.where(kind == "peak", 1.0, np.where(kind == "low_shelf", np.sqrt(a), 1.0 / np.sqrt(a)))
    ratio = np.where(kind == "peak", a, 1.0)
    top = np.where(kind == "high_shelf", a**2, 1.0)
    return np.log(np.stack([top, warped * step, q / ratio, warped / step, q * ratio], axis=-1))


def _levels(parameters: Float64s, squared: Float64s) -> tuple[Float64s, Float64s]:
    """ln|H| (…, frequency) of prototypes (…, 5) at Ω² = tan²(ω/2), and its derivatives (…, frequency, 5)."""
    top, zero, zero_q, pole, pole_q = (parameters[..., i, None] for i in range(5))
    level = top + 0.0 * squared
    slopes = [np.ones_like(level)]
    for sign, w, quality in ((0.5, zero, zero_q), (-0.5, pole, pole_q)):
        w2 = np.exp(2.0 * w)
        damping = w2 * np.exp(-2.0 * quality) * squared
        offset = w2 - squared
        power = offset**2 + damping
        level = level + sign * np.log(power)
        slopes += [sign * (4.0 * offset * w2 + 2.0 * damping) / power, -2.0 * sign * damping / power]
    return level, np.stack(slopes, axis=-1)


def _fit(
    wanted: Float64s, squared: Float64s, weight: Float64s, start: Float64s, price: float, steps: int
) -> tuple[Float64s, Float64s]:
    """Levenberg–Marquardt for many cascades at once.

    Args:
        wanted: ln|H| (cascade, frequency).
        start: (cascade, 5) prototypes, or (cascade, section, 5).

    Returns:
        Parameters shaped like `start`, and their ln|H| (cascade, frequency).
    """
    count, size = len(start), int(np.prod(start.shape[1:]))
    prices = np.tile([0.0, 1.0, 1.0, 1.0, 1.0], size // 5) * price**2
    origin = start.reshape(count, size)

    def evaluate(p: Float64s) -> tuple[Float64s, Float64s, Float64s]:
        level, slopes = _levels(p.reshape(count, -1, 5), squared)
        level, slopes = level.sum(axis=1), slopes.transpose(0, 2, 1, 3).reshape(count, len(squared), size)
        cost = ((weight * (wanted - level)) ** 2).sum(axis=1) + (prices * (p - origin) ** 2).sum(axis=1)
        return level, slopes, cost

    parameters, damping = origin.copy(), np.full((count, 1), 1e-2)
    level, slopes, cost = evaluate(parameters)
    diagonal = np.arange(size)
    for _ in range(steps):
        weighted = (slopes * (weight**2)[:, None]).transpose(0, 2, 1)
        normal = weighted @ slopes
        normal[:, diagonal, diagonal] += prices
        # The constant keeps the system solvable where a parameter has no effect.
        normal[:, diagonal, diagonal] += damping * normal[:, diagonal, diagonal] + 1e-9
        slope = (weighted @ (wanted - level)[..., None])[..., 0] - prices * (parameters - origin)
        step = np.clip(np.linalg.solve(normal, slope[..., None])[..., 0], -0.7, 0.7)
        tried = np.asarray(parameters + step, dtype=np.float64)
        new_level, new_slopes, new_cost = evaluate(tried)
        better = (new_cost < cost)[:, None]
        settled = np.all(np.abs(new_cost - cost) < 1e-4 * cost + 1e-12)
        parameters, level = np.where(better, tried, parameters), np.where(better, new_level, level)
        slopes, cost = np.where(better[..., None], new_slopes, slopes), np.where(better[:, 0], new_cost, cost)
        damping = np.where(better, 0.2 * damping, 6.0 * damping)
        if settled:
            break
    return parameters.reshape(start.shape), level


def _corrections(missing: Float64s, grid_hz: Float64s, weight: Float64s, sample_rate: float) -> Float64s:
    """Sections (section, 5) for what the bands miss, ln|H| (1, frequency); none where it is good enough."""
    promised = weight == 1.0
    edge_hz = grid_hz[promised].max()
    best, error = np.zeros((0, 5)), DB_PER_NEPER * np.abs(missing[0, promised]).max()
    # Starts near the upper end, where curves are squeezed; at a rate whose Nyquist frequency is the end, closer
    # to it.
    close = 2.0 * edge_hz > 0.99 * sample_rate
    places = (0.93, 0.985, 0.7, 0.997) if close else (1.03, 1.28, 0.69)
    squared = np.tan(np.pi * grid_hz / sample_rate) ** 2
    for count in (2, len(places)):
        if error <= _GOOD_ENOUGH_DB:
            break
        at_hz = np.minimum(np.array(places[:count]) * edge_hz, 0.499 * sample_rate)
        w, quality = np.log(np.tan(np.pi * at_hz / sample_rate)), np.full(count, -0.35)
        start = np.stack([np.zeros(count), w, quality, w, quality], axis=-1)[None]
        found, level = _fit(missing, squared, weight, start, _CORRECTION_PRICE, _CORRECTION_STEPS)
        left = DB_PER_NEPER * np.abs((missing - level)[0, promised]).max()
        if left < error:
            best, error = found[0], left
    return best


def _to_sections(parameters: Float64s) -> Float64s:
    """Digital sections (section, 6) of prototypes (section, 5) by the bilinear transform."""
    top, zero, zero_q, pole, pole_q = np.exp(parameters).T
    numerator = (1.0 + zero / zero_q + zero**2, 2.0 * (zero**2 - 1.0), 1.0 - zero / zero_q + zero**2)
    denominator = (1.0 + pole / pole_q + pole**2, 2.0 * (pole**2 - 1.0), 1.0 - pole / pole_q + pole**2)
    table = np.stack([*(top * c for c in numerator), *denominator], axis=-1)
    return table / table[:, 3:4]
