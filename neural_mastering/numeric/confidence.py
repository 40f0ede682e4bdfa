"""How far a model's moves are to be followed: calibrated on songs that it was not trained on."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_mastering.errors import InputError

LOW_HZ, HIGH_HZ, POINTS = 30.0, 15_000.0, 64


@dataclass(frozen=True)
class ConfidenceEstimate:
    """What the windows of one song say, and how far their common move is followed.

    Attributes:
        confidence: factor of the equaliser's decibels, 0 to 1.
        move_db: RMS of the common curve over frequency.
        spread_db: RMS of the windows' differences from it.
        windows: that were heard.
    """

    confidence: float
    move_db: float
    spread_db: float
    windows: int


@dataclass(frozen=True)
class Confidence:
    """confidence = scale · m²/(m² + d² + e²), by which the decibels of the equaliser are multiplied.

    m is the size of the move that the windows of a song have in common, d how far they differ from it, both in dB
    (RMS over 64 frequencies evenly spaced in octaves, each curve less its own mean); e is the doubt: how wrong the
    model typically is on songs of unknown origin. So a small move counts for little, since it drowns in what the
    model can't know, and one on which the windows disagree counts for less.

    Attributes:
        scale: 0 to 1; what the largest moves are followed to.
        doubt_db: e, 0 or more.

    Examples:
        With 1 dB of doubt, a move of 2 dB is followed to 4/5 and one of 0.5 dB to 1/5:

        >>> confidence = Confidence(scale=1.0, doubt_db=1.0)
        >>> confidence.of(move_db=2.0, spread_db=0.0), confidence.of(move_db=0.5, spread_db=0.0)
        (0.8, 0.2)
    """

    scale: float = 1.0
    doubt_db: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.scale <= 1.0 and 0.0 <= self.doubt_db < math.inf):
            raise InputError(
                f"confidence: expected a scale from 0 to 1 and a doubt of 0 dB or more; got {self.scale} and "
                f"{self.doubt_db}"
            )

    def of(self, move_db: float, spread_db: float) -> float:
        """The factor, 0 to 1; the scale where nothing is asked for and nothing is in doubt."""
        whole = move_db**2 + spread_db**2 + self.doubt_db**2
        return self.scale * move_db**2 / whole if whole > 0.0 else self.scale


def move_and_spread_db(curves: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float]:
    """RMS of the weighted mean of curves (window, frequency) in dB, and of their differences from it."""
    share = (weights / weights.sum())[:, None]
    mean = (curves * share).sum(axis=0)
    spread = (np.square(curves - mean) * share).sum(axis=0)
    return math.sqrt(float(np.square(mean).mean())), math.sqrt(float(spread.mean()))
