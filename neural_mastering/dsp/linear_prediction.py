"""How far a waveform departs from what its past predicts."""

import numpy as np
from numpy.typing import NDArray

_RIDGE = 1e-9


def prediction_errors(past: NDArray[np.float64], following: float, order: int) -> tuple[float, float]:
    """The error of the next sample, and the root mean square of those before it, in the unit of the samples.

        x̂[n] = Σ a_k·x[n − k],   k = 1 … order,   a by least squares over `past`
        errors: |x[n] − x̂[n]| and √mean (x − x̂)²

    Args:
        past: samples (time,), at least twice as many as `order`.
        following: the sample that comes behind them.
        order: number of coefficients.

    Source: J. Makhoul, "Linear prediction: a tutorial review", Proc. IEEE 63 (1975), covariance method.

    Examples:
        >>> tone = np.sin(0.1 * np.arange(200.0))
        >>> error, usual = prediction_errors(tone[:-1], tone[-1], 4)
        >>> error < 1e-4, usual < 1e-4
        (True, True)
    """
    rows = np.lib.stride_tricks.sliding_window_view(past, order + 1)
    known, next_one = rows[:, :order], rows[:, order]
    normal = known.T @ known
    normal += np.eye(order) * (_RIDGE * np.trace(normal) / order + 1e-30)
    weights = np.linalg.solve(normal, known.T @ next_one)
    usual = float(np.sqrt(np.square(next_one - known @ weights).mean()))
    return float(abs(following - past[-order:] @ weights)), usual
