"""Degraded excerpts as the encoder analyses them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from experiments.bundled_model.features.degraded_excerpts import (
    DegradedExcerpt,
    degraded_excerpts,
    excerpts_of,
    true_curve_db,
)
from experiments.bundled_model.features.material import model_config, preset_of
from experiments.bundled_model.features.mel_powers import RATE
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.models import MasteringModel, build
from neural_mastering.models.encoders import LogMel
from neural_mastering.rendering.tone.from_model import WINDOW_S
from neural_mastering.units import db_to_gain


@dataclass(frozen=True)
class AnalysedExcerpt:
    """What the encoder finds in a degraded excerpt, and the correction that would undo its filters.

    Attributes:
        features: (window, feature) long-term features of the input's windows.
        power: (window,) of the windows, which weighs them.
        lufs: of the whole input.
        wanted_db: (frequency,) what undoes its filters, less its mean.
        group, song: of the excerpt.
    """

    features: Tensor
    power: Tensor
    lufs: float
    wanted_db: Tensor
    group: str
    song: str


def analysed_excerpts(out: Path, split: str, draws: int, preset_name: str = "mix") -> list[AnalysedExcerpt]:
    """The `degraded_excerpts` of a split, analysed; kept in a file."""
    preset = preset_of(preset_name)
    files = [row["file"] for row in excerpts_of(out, split)]
    key = hashlib.sha256(f"{files}{preset.recipe}{draws}".encode()).hexdigest()[:12]
    kept = out / "material" / f"analysed_{split}_{key}.pt"
    if kept.is_file():
        return torch.load(kept, weights_only=False)  # a file of our own, made by the lines below
    model = build(model_config())
    found = [analyse_windows(model, pair) for pair in degraded_excerpts(out, split, draws, preset)]
    kept.parent.mkdir(parents=True, exist_ok=True)
    torch.save(found, kept)
    return found


def analyse_windows(model: MasteringModel, excerpt: DegradedExcerpt) -> AnalysedExcerpt:
    """Features of a degraded excerpt in the windows of nm-master."""
    encoder = model.encoder
    assert isinstance(encoder, LogMel)
    audio = excerpt.audio[None]
    window = min(round(WINDOW_S * RATE), audio.shape[-1])
    features, power = [], []
    for piece in audio.split(window, dim=-1):
        if piece.shape[-1] < window:
            continue
        level = float(integrated_loudness(piece, RATE, floor_lufs=model.silence_lufs))
        if level > model.silence_lufs:
            features.append(encoder.features(piece * db_to_gain(model.analysis_lufs - level))[1][0])
            power.append(10.0 ** (level / 10.0))
    wanted = -true_curve_db(excerpt.degradation)
    return AnalysedExcerpt(
        torch.stack(features),
        torch.tensor(power),
        excerpt.degradation.level_lufs,
        wanted - wanted.mean(),
        excerpt.row["group"],
        excerpt.row["file"],
    )
