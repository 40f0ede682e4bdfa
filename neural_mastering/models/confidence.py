"""How far a model's moves are to be followed, from analyses in torch; see `numeric.confidence` for the equation."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from neural_mastering.models.eq_heads import EqLogits
from neural_mastering.models.mastering import Analysis, MasteringModel
from neural_mastering.numeric.confidence import HIGH_HZ, LOW_HZ, POINTS, Confidence, ConfidenceEstimate
from neural_mastering.units import db_to_power

__all__ = ["Confidence", "ConfidenceEstimate", "curves_db", "estimate_confidence", "move_and_spread_db"]


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
