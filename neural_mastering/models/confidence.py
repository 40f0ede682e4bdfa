"""How far a model's moves are to be followed: calibrated on songs that it was not trained on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neural_mastering.errors import InputError
from neural_mastering.models.eq_heads import EqLogits
from neural_mastering.models.mastering import Analysis, MasteringModel
from neural_mastering.units import db_to_power

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


def estimate_confidence(
    confidence: Confidence, model: MasteringModel, windows: Sequence[Analysis]
) -> ConfidenceEstimate:
    """How far the windows of a song are followed; they are weighted by their power."""
    logits = type(windows[0].logits).concatenate([part.logits for part in windows])
    power = db_to_power(torch.cat([part.lufs for part in windows]))
    move_db, spread_db = move_and_spread_db(curves_db(model, logits), power)
    return ConfidenceEstimate(confidence.of(move_db, spread_db), move_db, spread_db, len(windows))


def move_and_spread_db(curves: Tensor, weights: Tensor) -> tuple[float, float]:
    """RMS of the weighted mean of curves (window, frequency) in dB, and of their differences from it."""
    share = (weights / weights.sum())[:, None]
    mean = (curves * share).sum(dim=0)
    spread = ((curves - mean).square() * share).sum(dim=0)
    return math.sqrt(float(mean.square().mean())), math.sqrt(float(spread.mean()))


def curves_db(model: MasteringModel, logits: EqLogits) -> Tensor:
    """Responses (item, frequency) of the equaliser that logits ask for, each less its mean."""
    at_hz = torch.logspace(math.log10(LOW_HZ), math.log10(HIGH_HZ), POINTS)
    curves = model.eq_head.eq.response_db(at_hz, **model.eq_head.decode(logits).eq)
    return curves - curves.mean(dim=-1, keepdim=True)
