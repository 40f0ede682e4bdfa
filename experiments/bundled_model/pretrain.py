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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from material import FILTERS, Material, model_config
from powers import SongPowers
from skill import Heard, curve_error, decode, predict, score, score_heard
from tones import Tones
from torch import Tensor

from neural_mastering import __version__
from neural_mastering.models import CHECKPOINT_KEY, MasteringModel, build
from neural_mastering.models.encoders import LogMel

GAIN_WEIGHT = 0.02
AVERAGING = 0.98


@dataclass(frozen=True)
class Settings:
    """Of one run.

    Attributes:
        steps, batch, lr, weight_decay: of AdamW with a cosine schedule.
        window_s: length of the windows heard; 60 hears an excerpt at once.
        other_tone: share of a song's tone that is drawn anew, see `powers.Tones`.
        songs: number of training songs; 0 for all.
        seed: of everything.
        overrides: of the model's configuration, as for nm-train.
    """

    steps: int = 250
    batch: int = 256
    lr: float = 1e-3
    weight_decay: float = 0.05
    window_s: float = 5.0
    other_tone: float = 0.0
    songs: int = 0
    seed: int = 0
    overrides: tuple[str, ...] = ()


def train(
    material: Material, settings: Settings, exact: Sequence[Heard] = ()
) -> tuple[MasteringModel, dict[str, Any], dict[str, Any]]:
    """Returns the moving average of the weights, its configuration, and what was measured."""
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
    trained = [p for name, p in model.named_parameters() if not _is_stack(name)]
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
            found = score(average, material.validation, material.checks, simulator)
            if exact:
                found |= {f"rendered_{key}": value for key, value in score_heard(average, exact).items()}
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


def _is_stack(name: str) -> bool:
    return name.startswith(("encoder.front", "encoder.blocks", "encoder.pooled"))


def _silence_stack(encoder: LogMel) -> None:
    """The stack's share of z becomes 0: with so few songs it only learns them by heart."""
    for parameter in encoder.pooled.parameters():
        torch.nn.init.zeros_(parameter)


def _song_weights(songs: Sequence[SongPowers]) -> Tensor:
    """Songs of a large group count a little less: 1/√(songs of the group)."""
    sizes = {group: sum(song.group == group for song in songs) for group in {song.group for song in songs}}
    return torch.tensor([1.0 / math.sqrt(sizes[song.group]) for song in songs])
