"""Bands of one parametric equaliser for the curve of words, alone or together with what was there.

Words alone get a low shelf, four peaks and a high shelf with frequencies in a fixed order, so that the bands
neither swap nor fight, fitted to the curve at 1.5 dB RMS and scaled to its size: gains are so nearly linear that a
fit per strength would add jumps and no accuracy, and −s is exactly the mirror of s. Together with a model's or a
reference's equaliser the sum of both curves is fitted once, from the bands that were there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neural_mastering.controls import Bands, band_fit
from neural_mastering.dsp.rbj import Kind
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.words.shape import HEARD, UNIT_RMS_DB, rms_db

MOST_BANDS = 10
"""Of a joint fit, where there were no more before."""

GOOD_ENOUGH_DB = 0.1
"""RMS error at which no further band is tried."""

_KINDS: tuple[Kind, ...] = ("low_shelf", "peak", "peak", "peak", "peak", "high_shelf")
_LOW_HZ = (40.0, 80.0, 250.0, 700.0, 1_800.0, 5_000.0)
_HIGH_HZ = (150.0, 350.0, 900.0, 2_500.0, 6_500.0, 14_000.0)
_LOW_Q, _HIGH_Q = (0.4,) * 6, (1.0, 1.6, 1.6, 1.6, 1.6, 1.0)
_START_Q = (0.7, 0.8, 0.8, 0.8, 0.8, 0.7)
_MOST_DB = 12.0
_GAIN_PRICE, _PLACE_PRICE = 0.03, 0.05
_GRID_HZ: Float64s = np.geomspace(25.0, 16_000.0, 86)
"""Ninths of an octave: as fine as the narrowest bands of a model need."""


@dataclass(frozen=True)
class Fitted:
    """Bands and how far they are from what was wanted (third octaves from 50 Hz on)."""

    bands: Bands
    rms_db: float
    max_db: float


def fit_shape(curve_db: Float64s, sample_rate: float = 44_100.0) -> Bands:
    """Six bands for a curve (third,); none for a flat one."""
    size = rms_db(curve_db)
    if size == 0.0:
        return Bands.of()
    # the mirror image gets the mirrored bands exactly: both are fitted as the one that rises first
    sign = 1.0 if curve_db[np.flatnonzero(curve_db)[0]] > 0.0 else -1.0
    scale = sign * size / UNIT_RMS_DB
    unit = curve_db / scale
    usable = 0.45 * sample_rate > CENTRES_HZ
    start, low, high = _six_bands(unit)
    weight = np.where(HEARD, 1.0, 0.3)[usable]
    found = band_fit.fit(
        unit[usable],
        CENTRES_HZ[usable],
        sample_rate,
        start,
        low,
        high,
        weight,
        _GAIN_PRICE,
        0.5 * _PLACE_PRICE,
        60,
        1e-4,
    )
    return found.scaled(scale)


def fit_together(
    curve_db: Float64s, base: Bands, base_db: Float64s | None = None, sample_rate: float = 44_100.0
) -> Bands:
    """Bands for the sum of the words' curve (third,) and of an equaliser, fitted once.

    Args:
        curve_db: of the words.
        base: the equaliser's bands, from which the fit starts; they are not changed.
        base_db: (third,) what these bands were made to follow, where that is known (a reference's curve); None
            takes the bands' own response.
        sample_rate: at which bands mean their curve.
    """
    if not len(base):
        return fit_shape(curve_db if base_db is None else curve_db + base_db, sample_rate)
    grid = _GRID_HZ[0.45 * sample_rate > _GRID_HZ]
    before = base.level_db(grid, sample_rate) if base_db is None else _at(base_db, grid)
    wanted = before + _at(curve_db, grid)
    best, least = base, np.inf
    for start, low, high in _starts(base, wanted, curve_db, grid, sample_rate):
        found = band_fit.fit(
            wanted, grid, sample_rate, start, low, high, 1.0, _GAIN_PRICE, 0.5 * _PLACE_PRICE, 80, 1e-4
        )
        error = float(np.sqrt(np.mean((found.level_db(grid, sample_rate) - wanted) ** 2)))
        if error < 0.85 * least:
            best, least = found, error
        if least < GOOD_ENOUGH_DB:
            break
    return best


def judged(bands: Bands, wanted_db: Float64s, sample_rate: float = 44_100.0) -> Fitted:
    """The bands with their error against a curve (third,)."""
    usable = HEARD & (0.45 * sample_rate > CENTRES_HZ)
    error = (
        bands.level_db(CENTRES_HZ[usable], sample_rate) if len(bands) else np.zeros(usable.sum())
    ) - wanted_db[usable]
    return Fitted(bands, float(np.sqrt(np.mean(error**2))), float(np.abs(error).max()))


def _six_bands(curve_db: Float64s) -> tuple[Bands, Bands, Bands]:
    """Start and ranges."""
    frequency = np.sqrt(np.multiply(_LOW_HZ, _HIGH_HZ))
    limit = np.full(6, _MOST_DB)
    return (
        Bands(_KINDS, frequency, 0.5 * _at(curve_db, frequency), np.array(_START_Q)),
        Bands(_KINDS, np.array(_LOW_HZ), -limit, np.array(_LOW_Q)),
        Bands(_KINDS, np.array(_HIGH_HZ), limit, np.array(_HIGH_Q)),
    )


def _starts(
    base: Bands, wanted_db: Float64s, curve_db: Float64s, grid_hz: Float64s, rate: float
) -> Iterator[tuple[Bands, Bands, Bands]]:
    """The bands that were there, then these with more and more of the words' own bands."""
    yield _ranged(
        Bands(base.kinds, base.frequency_hz, base.gain_db + 0.5 * _at(curve_db, base.frequency_hz), base.q)
    )
    own = fit_shape(curve_db, rate)
    largest = np.argsort(-np.abs(own.gain_db)).tolist()
    room = max(MOST_BANDS - len(base), 0)
    for count in (2, 4, 6):
        if count <= room:
            yield _ranged(base + own.only(sorted(largest[:count])))
    if len(base) < MOST_BANDS and room not in (2, 4, 6):
        yield _ranged(base + own.only(sorted(largest[:room])))


def _ranged(start: Bands) -> tuple[Bands, Bands, Bands]:
    """Ranges of an octave on either side, so that bands keep their places."""
    limit = np.full(len(start.kinds), _MOST_DB)
    is_shelf = np.array([kind != "peak" for kind in start.kinds])
    most_q = np.maximum(np.where(is_shelf, 1.0, 5.0), start.q)
    least_q = np.minimum(np.where(is_shelf, 0.4, 0.3), start.q)
    limit = np.maximum(limit, np.abs(start.gain_db))
    return (
        start,
        Bands(start.kinds, np.maximum(start.frequency_hz / 2.0, 20.0), -limit, least_q),
        Bands(start.kinds, np.minimum(start.frequency_hz * 2.0, 18_000.0), limit, most_q),
    )


def _at(curve_db: Float64s, at_hz: Float64s) -> Float64s:
    return np.interp(np.log(at_hz), np.log(CENTRES_HZ), curve_db)
