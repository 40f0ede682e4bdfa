"""Supervised training on simulated degradations: the model learns the correction curve, whose truth is known.

    loss = mean over items of [ mean over f of (P(f) − D(f) − mean(P − D))² + 0.02·(g − G)² ]      in dB²

P is the response of the predicted equaliser at CURVE_HZ, D what undoes the degradation's filters, g the predicted
gain and G the gain that brings the corrected input to the song's own loudness. The minimum of a squared error is
the mean of what is possible, which lies near 0 where the input says little.
"""

import copy
import csv
import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from powers import CURVE_HZ, Filters, Simulator, SongPowers, Tones, Windows, load
from torch import Tensor

from neural_mastering import __version__
from neural_mastering.chance import seed_of
from neural_mastering.config.compose import compose
from neural_mastering.config.schema import validated
from neural_mastering.data.degradation import Preset, load_preset
from neural_mastering.models import CHECKPOINT_KEY, MasteringModel, build
from neural_mastering.models.confidence import move_and_spread_db
from neural_mastering.models.encoders import LogMel
from neural_mastering.models.eq_heads import EqLogits

HERE = Path(__file__).parent
GAIN_WEIGHT = 0.02
FILTERS = 20_000
VARIANTS = 3
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


def songs_of(out: Path, split: str, encoder: LogMel) -> list[SongPowers]:
    """Powers of all songs of a split, measured where that has not happened yet."""
    with (out / "works.csv").open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["split"] == split]
    return [
        load(
            out / "music" / row["file"],
            encoder,
            out / "powers",
            f"{row['group']}__{Path(row['file']).stem}",
            row["group"],
        )
        for row in rows
    ]


def model_config(overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The plain configuration of the model in conf/experiment/bundled.yaml."""
    config = validated(compose(["+experiment=bundled", "data.root=unused", *overrides]))
    return dict(config.model)


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


class Material:
    """Windows and filters of a preset, computed once for many runs."""

    def __init__(
        self,
        training: Sequence[SongPowers],
        validation: Sequence[SongPowers],
        preset: Preset,
        window_s: float,
    ) -> None:
        encoder = build(model_config()).encoder
        self.preset, self.window_s = preset, window_s
        self.simulator = Simulator(encoder, preset)
        self.songs, self.validation_songs = [_light(s) for s in training], [_light(s) for s in validation]
        self.training = self.simulator.windows(training, window_s, VARIANTS, 0)
        self.validation = self.simulator.windows(validation, window_s, 1, 1)
        self.filters = self.simulator.filters([seed_of(0, "filters", i) for i in range(FILTERS)])
        self.checks = self.simulator.filters([seed_of(0, "checks", i) for i in range(64)])

    @staticmethod
    def of(out: Path, preset: str = "mix", window_s: float = 5.0) -> "Material":
        """The material of a folder made by `collect`, kept in a file until its songs change."""
        encoder = build(model_config()).encoder
        works = (out / "works.csv").read_text("utf-8").splitlines()
        names = [line for line in works if ",test," not in line]
        recipe = (HERE / "mix.yaml").read_text("utf-8")
        key = hashlib.sha256(f"4{names}{recipe}{preset}{window_s}".encode()).hexdigest()[:12]
        kept = out / "material" / f"{preset}_{window_s:g}s_{key}.pt"
        if kept.is_file():
            return torch.load(kept, weights_only=False)  # a file of our own, made by the lines below
        material = Material(
            songs_of(out, "train", encoder), songs_of(out, "validation", encoder), preset_of(preset), window_s
        )
        # the powers themselves are not needed any more, but for the tones
        kept.parent.mkdir(parents=True, exist_ok=True)
        torch.save(material, kept)
        return material

    def replaced(self, songs: Sequence[SongPowers], windows: Windows) -> "Material":
        """The same with other training songs."""
        other = copy.copy(self)
        other.songs, other.training = list(songs), windows
        return other

    def subset(self, count: int, seed: int) -> tuple[list[SongPowers], Windows]:
        """So many songs, drawn with the seed, and their windows; all for 0."""
        if not count or count >= len(self.songs):
            return self.songs, self.training
        order = sorted(range(len(self.songs)), key=lambda i: seed_of(seed, "subset", self.songs[i].name))[
            :count
        ]
        place = {number: i for i, number in enumerate(order)}
        keep = [i for i, number in enumerate(self.training.index.tolist()) if number in place]
        index = torch.tensor([place[int(self.training.index[i])] for i in keep])
        w = self.training
        return [self.songs[i] for i in order], Windows(
            w.features[keep], w.k_levels[keep], w.song_lufs[keep], index, w.others[keep]
        )


def train(
    material: Material, settings: Settings, exact: "Sequence[Heard]" = ()
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


@dataclass(frozen=True)
class Heard:
    """A rendered pair as the model hears it.

    Attributes:
        features: (window, feature) long-term features of the input's windows.
        power: (window,) of the windows, which weighs them.
        lufs: of the whole input.
        wanted_db: (frequency,) what undoes its filters, less its mean.
        group, song: of the pair.
    """

    features: Tensor
    power: Tensor
    lufs: float
    wanted_db: Tensor
    group: str
    song: str


@torch.no_grad()
def answers(model: MasteringModel, heard: Sequence[Heard]) -> list[tuple[Tensor, float, float]]:
    """For each pair the curve (frequency,) of the whole song, less its mean; its windows' move and spread in dB."""
    model.eval()
    found = []
    for pair in heard:
        logits = predict(model, pair.features, torch.full((len(pair.power),), pair.lufs))
        each, _ = decode(model, logits)
        each = each - each.mean(dim=-1, keepdim=True)
        curve, _ = decode(model, logits.mean(pair.power))
        found.append((curve[0] - curve[0].mean(), *move_and_spread_db(each, pair.power)))
    return found


def score_heard(model: MasteringModel, heard: Sequence[Heard]) -> dict[str, float]:
    """Skill on rendered pairs, at full strength and at half."""
    curves = torch.stack([curve for curve, _, _ in answers(model, heard)])
    wanted = torch.stack([pair.wanted_db for pair in heard])
    nothing = float(wanted.square().mean())
    return {
        "skill": 1.0 - math.sqrt(float(curve_error(curves, wanted).mean()) / nothing),
        "skill_half": 1.0 - math.sqrt(float(curve_error(0.5 * curves, wanted).mean()) / nothing),
    }


@torch.no_grad()
def score(
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


def _light(song: SongPowers) -> SongPowers:
    """The song with its mean powers only, which is what `Tones` asks for."""
    nothing = torch.zeros(0)
    mid, side = song.mid.mean(dim=-1, keepdim=True), song.side.mean(dim=-1, keepdim=True)
    return replace(song, mid=mid, side=side, cross=nothing, peak=nothing, power=nothing, k_power=nothing)


def _coloured(k_levels: Tensor, bands_db: Tensor) -> Tensor:
    changed = k_levels * torch.pow(10.0, bands_db / 10.0)
    return changed / changed.sum(dim=1, keepdim=True)


def _is_stack(name: str) -> bool:
    return name.startswith(("encoder.front", "encoder.blocks", "encoder.pooled"))


def _silence_stack(encoder: LogMel) -> None:
    """The stack's share of z becomes 0: with so few songs it only learns them by heart."""
    for parameter in encoder.pooled.parameters():
        torch.nn.init.zeros_(parameter)


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


def preset_of(name: str) -> Preset:
    """mix.yaml of this folder, or a preset by name."""
    return load_preset(HERE / "mix.yaml" if name == "mix" else name)


def _song_weights(songs: Sequence[SongPowers]) -> Tensor:
    """Songs of a large group count a little less: 1/√(songs of the group)."""
    sizes = {group: sum(song.group == group for song in songs) for group in {song.group for song in songs}}
    return torch.tensor([1.0 / math.sqrt(sizes[song.group]) for song in songs])
