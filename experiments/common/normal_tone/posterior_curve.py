"""What an equaliser does that follows the posterior of a song's mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.scale_mixture import observed_covariance
from neural_mastering.styles.move import OFFSET_DB

Float64s = NDArray[np.float64]
Bools = NDArray[np.bool_]

Follow = Callable[[Float64s, Bools, int], Float64s]
"""(spectrum, known, song) → the equaliser's curve in dB."""


def scale_mixture(statements: Sequence[Gaussian], prior: Float64s) -> Follow:
    """The curve of a prediction for each song, with the engine's sharp core and heavy tails (`styles.move`)."""

    def follow(spectrum: Float64s, known: Bools, song: int) -> Float64s:
        target = statements[song % len(statements)]
        index = np.ix_(known, known)
        gap = (target.mean - spectrum)[known]
        spread = observed_covariance(gap, target.covariance[index], prior[index], OFFSET_DB)
        return prior[:, known] @ np.linalg.solve(spread + prior[index] + OFFSET_DB**2, gap)

    return follow
