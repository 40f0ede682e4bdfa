"""How well a model predicts the correction curve: on excerpts degraded as audio, and on simulated ones."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from experiments.bundled_model.features.analysis import AnalysedExcerpt
from experiments.bundled_model.features.filters import CURVE_HZ, Filters
from experiments.bundled_model.features.simulation import Simulator
from experiments.bundled_model.features.windows import Windows
from neural_mastering.models import MasteringModel
from neural_mastering.models.confidence import move_and_spread_db
from neural_mastering.models.encoders import LogMel
from neural_mastering.models.eq_heads import EqLogits


def predict(model: MasteringModel, features: Tensor, lufs: Tensor) -> EqLogits:
    """Logits from long-term features (item, feature) and the level of the input (item,); the stack is left out."""
    encoder = model.encoder
    assert isinstance(encoder, LogMel)
    return model.eq_head(encoder.norm(encoder.long_term(features)), lufs)


def decode(model: MasteringModel, logits: EqLogits) -> tuple[Tensor, Tensor]:
    """Curve and gain of logits."""
    controls = model.eq_head.decode(logits)
    return model.eq_head.eq.response_db(CURVE_HZ, **controls.eq), controls.gain["gain_db"]


def curve_error(predicted_db: Tensor, wanted_db: Tensor) -> Tensor:
    """Mean square over frequency of the difference less its mean, (item,)."""
    difference = predicted_db - wanted_db
    return (difference - difference.mean(dim=-1, keepdim=True)).square().mean(dim=-1)


@torch.no_grad()
def predicted_curves(
    model: MasteringModel, excerpts: Sequence[AnalysedExcerpt]
) -> list[tuple[Tensor, float, float]]:
    """For each excerpt its curve (frequency,) less the mean, and its windows' move and spread in dB."""
    model.eval()
    found = []
    for excerpt in excerpts:
        logits = predict(model, excerpt.features, torch.full((len(excerpt.power),), excerpt.lufs))
        each, _ = decode(model, logits)
        each = each - each.mean(dim=-1, keepdim=True)
        curve, _ = decode(model, logits.mean(excerpt.power))
        found.append((curve[0] - curve[0].mean(), *move_and_spread_db(each, excerpt.power)))
    return found


def score_analysed(model: MasteringModel, excerpts: Sequence[AnalysedExcerpt]) -> dict[str, float]:
    """Skill on excerpts degraded as audio, at full strength and at half."""
    curves = torch.stack([curve for curve, _, _ in predicted_curves(model, excerpts)])
    wanted = torch.stack([excerpt.wanted_db for excerpt in excerpts])
    nothing = float(wanted.square().mean())
    return {
        "skill": 1.0 - math.sqrt(float(curve_error(curves, wanted).mean()) / nothing),
        "skill_half": 1.0 - math.sqrt(float(curve_error(0.5 * curves, wanted).mean()) / nothing),
    }


@torch.no_grad()
def score_simulated(
    model: MasteringModel, windows: Windows, checks: Filters, simulator: Simulator, each: bool = False
) -> dict[str, Any]:
    """RMS errors over songs × filters of the model and of doing nothing; skill is 1 less their ratio.

    A song's controls are the mean of the logits of its windows. With `each`, also the lists by song.
    """
    model.eval()
    own, nothing = [], []
    draws = checks.curve_db.shape[0]
    for number in range(int(windows.index.max()) + 1):
        items = torch.nonzero(windows.index == number).flatten()
        features = windows.features[items].repeat_interleave(draws, dim=0)
        k_levels = windows.k_levels[items].repeat_interleave(draws, dim=0)
        bands_db, level = checks.bands_db.repeat(len(items), 1), checks.level_lufs.repeat(len(items))
        logits = predict(model, simulator.filtered(features, k_levels, bands_db), level)
        mean = EqLogits(
            *(
                getattr(logits, key).unflatten(0, (len(items), draws)).mean(dim=0)
                for key in ("eq", "gain", "gates")
            )
        )
        curve, _ = decode(model, mean)
        own.append(curve_error(curve, -checks.curve_db))
        nothing.append(curve_error(torch.zeros_like(curve), -checks.curve_db))
    rms, rms_nothing = (float(torch.stack(v).mean().sqrt()) for v in (own, nothing))
    found: dict[str, Any] = {
        "curve_rms_db": rms,
        "nothing_rms_db": rms_nothing,
        "skill": 1.0 - rms / rms_nothing,
    }
    if each:
        found["by_song"] = [
            float(1.0 - (a.mean() / b.mean()).sqrt()) for a, b in zip(own, nothing, strict=True)
        ]
    return found
