"""Bands of the parametric equaliser for a curve in third octaves."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from neural_mastering.controls import Bands, band_fit
from neural_mastering.dsp.rbj import Kind
from neural_mastering.dsp.third_octaves import CENTRES_HZ

Float64s = NDArray[np.float64]

MOST_BANDS = 10
MOST_DB = 12.0
LEAST_DB = 0.2
"""A band whose largest effect is smaller is taken out."""

GOOD_ENOUGH_DB = 0.15
"""Root mean square error at which no further band is tried."""

LOW_SHELF_HZ, PEAKS_HZ, HIGH_SHELF_HZ = (25.0, 250.0), (40.0, 13_500.0), (3_000.0, 16_000.0)
PEAK_Q, SHELF_Q = (0.5, 3.0), (0.5, 1.0)
GAIN_PRICE, _PLACE_PRICE = 0.03, 0.05
_PEAK_COUNTS = (0, 2, 4, 6, 8)
_STEPS, _TOLERANCE = 40, 1e-3


def fit_curve(
    curve_db: Float64s,
    filled: NDArray[np.bool_],
    design_rate_hz: float = 44_100.0,
    gain_price: float = GAIN_PRICE,
    least_db: float = LEAST_DB,
) -> Bands:
    """The fewest of low shelf, up to eight peaks and high shelf that follow a curve.

    Damped least squares with a price on gains and on leaving the places where bands start, so that no two bands
    fight each other; two more peaks at a time until the error is small or stops falling. The ranges are those
    of `ParametricEQ` with a narrower Q.

    Args:
        curve_db: (third,) at `CENTRES_HZ`; level counts: subtract a mean before.
        filled: bands that count fully; the others only hold the fit still.
        design_rate_hz: at which the bands mean their curve.
        gain_price: cost of a decibel of gain, relative to a decibel of error.
        least_db: a band whose largest effect is smaller is taken out.
    """
    if float(np.abs(curve_db).max()) < least_db:
        return Bands.of()
    weight = np.where(filled, 1.0, 0.2)
    usable = 0.45 * design_rate_hz > CENTRES_HZ
    at_hz, wanted, weight = CENTRES_HZ[usable], curve_db[usable], weight[usable]
    best, best_score = None, math.inf
    for peaks in _PEAK_COUNTS:
        start, low, high = _layout(peaks, wanted, at_hz)
        found = band_fit.fit(
            wanted,
            at_hz,
            design_rate_hz,
            start,
            low,
            high,
            weight,
            gain_price,
            _PLACE_PRICE,
            _STEPS,
            _TOLERANCE,
        )
        error_db = _error_db(found, wanted, at_hz, weight, design_rate_hz)
        if error_db < 0.85 * best_score:
            best, best_score = found, error_db
        if error_db < GOOD_ENOUGH_DB:
            break
    assert best is not None
    grid_hz = np.geomspace(20.0, 0.45 * design_rate_hz, 200)
    kept = [
        i
        for i in range(len(best.kinds))
        if float(np.abs(best.only([i]).level_db(grid_hz, design_rate_hz)).max()) >= least_db
    ]
    # Written numbers stay readable; what rounding changes is far below what can be heard.
    return best.only(kept).rounded((2, 3, 4))


def _layout(peaks: int, wanted_db: Float64s, at_hz: Float64s) -> tuple[Bands, Bands, Bands]:
    """Start and ranges: peaks in slots of the log-frequency range that overlap by half a slot."""
    inner: tuple[Kind, ...] = ("peak",) * peaks
    kinds: tuple[Kind, ...] = ("low_shelf", *inner, "high_shelf")
    slots = np.geomspace(*PEAKS_HZ, peaks + 1)
    half = np.sqrt(slots[1] / slots[0]) if peaks else 1.0
    centre = np.sqrt(slots[1:] * slots[:-1])
    frequency = np.concatenate([[math.sqrt(LOW_SHELF_HZ[0] * LOW_SHELF_HZ[1])], centre, [8_000.0]])
    low_hz = np.concatenate(
        [[LOW_SHELF_HZ[0]], np.maximum(slots[:-1] / half, PEAKS_HZ[0]), [HIGH_SHELF_HZ[0]]]
    )
    high_hz = np.concatenate(
        [[LOW_SHELF_HZ[1]], np.minimum(slots[1:] * half, PEAKS_HZ[1]), [HIGH_SHELF_HZ[1]]]
    )
    gain = 0.5 * np.interp(np.log(frequency), np.log(at_hz), wanted_db).clip(-MOST_DB, MOST_DB)
    q = np.concatenate([[0.7], np.full(peaks, 1.0), [0.7]])
    low_q = np.concatenate([[SHELF_Q[0]], np.full(peaks, PEAK_Q[0]), [SHELF_Q[0]]])
    high_q = np.concatenate([[SHELF_Q[1]], np.full(peaks, PEAK_Q[1]), [SHELF_Q[1]]])
    limit = np.full(len(kinds), MOST_DB)
    return (
        Bands(kinds, frequency, gain, q),
        Bands(kinds, low_hz, -limit, low_q),
        Bands(kinds, high_hz, limit, high_q),
    )


def _error_db(bands: Bands, wanted_db: Float64s, at_hz: Float64s, weight: Float64s, rate_hz: float) -> float:
    missing = weight * (bands.level_db(at_hz, rate_hz) - wanted_db)
    return float(np.sqrt((missing**2).sum() / (weight**2).sum()))
