"""Fit the bands of a parametric equaliser to a curve, by damped least squares within ranges."""

import numpy as np
from numpy.typing import ArrayLike

from neural_mastering.controls.bands import Bands
from neural_mastering.dsp.rbj import Float64s

_STEP = 1e-4  # of the numerical derivatives, in nepers (frequency, Q) and dB (gain)


def fit(
    wanted_db: ArrayLike,
    at_hz: ArrayLike,
    sample_rate: float,
    start: Bands,
    low: Bands,
    high: Bands,
    weight: ArrayLike = 1.0,
    gain_price: float = 0.0,
    place_price: float = 0.0,
    steps: int = 60,
    tolerance: float = 1e-7,
) -> Bands:
    """Minimise Σ (weight·(level − wanted))² + Σ (gain_price·gain)² + Σ (place_price·(ln f, ln Q − start))².

    Levels and gains in dB. Levenberg–Marquardt; a step that leaves the ranges is cut back to them.

    Args:
        wanted_db: (frequency,).
        at_hz: (frequency,), below half the sample rate.
        sample_rate: at which the RBJ bands are meant.
        start: first guess and rest of the prices.
        low, high: ends of the ranges; equal ends hold a control still.
        weight: (frequency,) or one number.
        gain_price: cost of a decibel of gain, relative to a decibel of error.
        place_price: cost of moving ln f or ln Q by 1 from the start, relative to a decibel of error.
        steps: at most.
        tolerance: a step that gains less than this part of the cost is the last.
    """
    wanted, frequency = np.asarray(wanted_db, dtype=np.float64), np.asarray(at_hz, dtype=np.float64)
    weights = np.broadcast_to(np.asarray(weight, dtype=np.float64), wanted.shape)
    lowest, highest = low.to_vector(), high.to_vector()
    origin = np.clip(start.to_vector(), lowest, highest)
    prices = np.tile([place_price, gain_price, place_price], (len(start.kinds), 1)) ** 2
    rest = origin * np.array([1.0, 0.0, 1.0])

    def levels(vector: Float64s) -> Float64s:
        return start.with_vector(vector).band_levels_db(frequency, sample_rate)

    def cost_of(vector: Float64s, by_band: Float64s) -> float:
        missing = weights * (wanted - by_band.sum(axis=0))
        return float((missing**2).sum() + (prices * (vector - rest) ** 2).sum())

    vector, by_band, damping = origin, levels(origin), 1e-2
    cost = cost_of(vector, by_band)
    for _ in range(steps):
        slopes = np.stack(
            [(levels(vector + _STEP * np.eye(3)[i]) - by_band) / _STEP for i in range(3)], axis=1
        )
        # A control at the end of its range that wants to leave it is held for this step.
        jacobian = (weights * slopes).reshape(-1, len(frequency)).T
        pull = jacobian.T @ (weights * (wanted - by_band.sum(axis=0))) - (prices * (vector - rest)).ravel()
        flat, free = vector.ravel(), np.ones(vector.size, dtype=bool)
        free &= ~((flat >= highest.ravel()) & (pull > 0.0)) & ~((flat <= lowest.ravel()) & (pull < 0.0))
        if not free.any():
            break
        normal = jacobian.T @ jacobian + np.diag(prices.ravel())
        normal += np.diag(damping * np.diag(normal) + 1e-9)
        step = np.zeros(vector.size)
        step[free] = np.linalg.solve(normal[np.ix_(free, free)], pull[free])
        tried = np.clip(vector + step.reshape(vector.shape).clip(-2.0, 2.0), lowest, highest)
        new_levels = levels(tried)
        new_cost = cost_of(tried, new_levels)
        if new_cost < cost:
            gained = cost - new_cost
            vector, by_band, cost, damping = tried, new_levels, new_cost, max(0.2 * damping, 1e-9)
            if gained < tolerance * cost + 1e-12:
                break
        else:
            damping *= 6.0
            if damping > 1e8:
                break
    return start.with_vector(vector)
