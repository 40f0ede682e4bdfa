"""Supervised training on simulated degradations: the model learns the correction curve, whose truth is known.

    loss = mean over items of [ mean over f of (P(f) − D(f) − mean(P − D))² + 0.02·(g − G)² ]      in dB²

P is the response of the predicted equaliser at CURVE_HZ, D what undoes the degradation's filters, g the predicted
gain and G the gain that brings the corrected input to the song's own loudness. The minimum of a squared error is
the mean of what is possible, which lies near 0 where the input says little.
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from experiments.bundled_model.features.analysis import AnalysedExcerpt
from experiments.bundled_model.features.material import FILTERS, Material, model_config
from experiments.bundled_model.features.mel_powers import SongMelPowers
from experiments.bundled_model.features.tones import Tones
from experiments.bundled_model.training.settings import Settings
from experiments.bundled_model.training.skill import (
    curve_error,
    decode,
    predict,
    score_analysed,
    score_simulated,
)
from neural_mastering import __version__
from neural_mastering.models import CHECKPOINT_KEY, MasteringModel, build
from neural_mastering.models.encoders import LogMel

GAIN_WEIGHT = 0.02
AVERAGING = 0.98


def train(
    material: Material, settings: Settings, rendered: Sequence[AnalysedExcerpt] = ()
) -> tuple[MasteringModel, dict[str, Any], dict[str, Any]]:
    """Train a model on the windows and filters of a preset.

    Args:
        material: songs and filters.
        settings: of the run.
        rendered: excerpts degraded as audio that the model is also scored on.

    Returns:
        The moving average of the weights, its configuration, and what was measured.
    """
    torch.manual_seed(settings.seed)
    config = model_config(settings.overrides)
    model = build(config)
    assert isinstance(model, MasteringModel) and isinstance(model.encoder, LogMel)
    _silence_stack(model.encoder)
    songs, windows = material.subset(settings.songs, settings.seed)
    simulator, filters = material.simulator, material.filters
    weights = _song_weights(songs)
    tones = Tones(songs, weights, simulator)
    per_song = torch.bincount(windows.index, minlength=len(songs)).clamp(min=1)
    item_weights = (weights / per_song)[windows.index]
    stack = {id(p) for part in _stack(model.encoder) for p in part.parameters()}
    trained = [p for p in model.parameters() if id(p) not in stack]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=settings.lr,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.steps, settings.lr * 0.02)
    averaged = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGING)
    )
    average = averaged.module
    assert isinstance(average, MasteringModel)
    generator = torch.Generator().manual_seed(settings.seed)
    history: list[dict[str, float]] = []
    started, running, every = time.perf_counter(), 0.0, max(settings.steps // 10, 1)
    for step in range(settings.steps):
        model.train()
        items = torch.multinomial(item_weights, settings.batch, replacement=True, generator=generator)
        draws = torch.randint(FILTERS, (settings.batch,), generator=generator)
        features, k_levels = windows.features[items], windows.k_levels[items]
        tone_db = tones.draw(windows.index[items].tolist(), settings.other_tone, generator)
        features = simulator.filtered(features, k_levels, tone_db)
        k_levels = _coloured(k_levels, tone_db)
        bands_db, wanted = filters.bands_db[draws], -filters.curve_db[draws]
        features = simulator.filtered(features, k_levels, bands_db)
        features = simulator.disturbed(features, generator)
        logits = predict(model, features, filters.level_lufs[draws])
        curve, gain = decode(model, logits)
        with torch.no_grad():
            change = simulator.loudness_change_db(_coloured(k_levels, bands_db), curve)
            wanted_gain = windows.song_lufs[items] - filters.level_lufs[draws] - change
        loss = (curve_error(curve, wanted) + GAIN_WEIGHT * (gain - wanted_gain).square()).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 5.0)
        optimizer.step()
        schedule.step()
        averaged.update_parameters(model)
        running += float(loss.detach())
        if (step + 1) % every == 0:
            found = score_simulated(average, material.validation, material.checks, simulator)
            if rendered:
                on_audio = score_analysed(average, rendered)
                found |= {f"rendered_{key}": value for key, value in on_audio.items()}
            history.append({"step": step + 1, "train_loss": running / every, **found})
            running = 0.0
    measured = {
        "settings": asdict(settings),
        "preset": material.preset.name,
        "songs": len(songs),
        "groups": len({song.group for song in songs}),
        "parameters": sum(p.numel() for p in model.parameters()),
        "seconds": round(time.perf_counter() - started, 1),
        "history": history,
        **history[-1],
    }
    return average.eval(), config, measured


def save(model: MasteringModel, config: dict[str, Any], measured: dict[str, Any], folder: Path) -> Path:
    """A checkpoint that nm-train takes as `init_from`, and what was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "checkpoints" / "best.ckpt"
    path.parent.mkdir(exist_ok=True)
    torch.save(
        {
            "state_dict": {f"model.{name}": value for name, value in model.state_dict().items()},
            CHECKPOINT_KEY: {"model": config, "version": __version__},
            "epoch": 0,
            "global_step": measured["settings"]["steps"],
        },
        path,
    )
    (folder / "pretraining.json").write_text(json.dumps(measured, indent=1) + "\n")
    return path


def _coloured(k_levels: Tensor, bands_db: Tensor) -> Tensor:
    changed = k_levels * torch.pow(10.0, bands_db / 10.0)
    return changed / changed.sum(dim=1, keepdim=True)


def _stack(encoder: LogMel) -> tuple[nn.Module, ...]:
    """The convolutions and what pools them."""
    return encoder.front, encoder.blocks, encoder.pooled


def _silence_stack(encoder: LogMel) -> None:
    """The stack's share of z becomes 0: with so few songs it only learns them by heart."""
    for parameter in encoder.pooled.parameters():
        torch.nn.init.zeros_(parameter)


def _song_weights(songs: Sequence[SongMelPowers]) -> Tensor:
    """Songs of a large group count a little less: 1/√(songs of the group)."""
    sizes = {group: sum(song.group == group for song in songs) for group in {song.group for song in songs}}
    return torch.tensor([1.0 / math.sqrt(sizes[song.group]) for song in songs])
