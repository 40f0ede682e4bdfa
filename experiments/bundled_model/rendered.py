"""Excerpts degraded as audio, as a model hears them: what it is measured on, and its confidence fitted."""

import csv
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch
from material import model_config, preset_of
from powers import RATE
from simulation import CURVE_HZ
from skill import Heard, answers

from neural_mastering.chance import seed_of
from neural_mastering.data.degradation import DegradationChain, DegradationPreset
from neural_mastering.data.degradation.parameters import Degradation
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.models import MasteringModel, build
from neural_mastering.models.encoders import LogMel
from neural_mastering.rendering.song import WINDOW_S
from neural_mastering.units import db_to_gain


@dataclass(frozen=True)
class Rendered:
    """An excerpt and what the degradation made of it, both (2, time) at RATE.

    Attributes:
        row: of the manifest of the excerpts.
        draw: number of the degradation.
        wanted: the excerpt as it is.
        heard: what the model gets, at the level that was drawn.
        drawn: the degradation.
    """

    row: dict[str, str]
    draw: int
    wanted: torch.Tensor
    heard: torch.Tensor
    drawn: Degradation


def excerpts_of(out: Path, split: str) -> list[dict[str, str]]:
    """Rows of the excerpts of a split."""
    with (out / "excerpts" / "manifest.csv").open(newline="", encoding="utf-8") as handle:
        return [row for row in csv.DictReader(handle) if row["split"] == split]


def rendered(out: Path, split: str, draws: int, preset: DegradationPreset) -> Iterator[Rendered]:
    """Excerpts of a split, each degraded so many times as audio."""
    for row in excerpts_of(out, split):
        samples, rate = soundfile.read(out / "excerpts" / row["file"], dtype="float64", always_2d=True)
        audio = np.ascontiguousarray(np.broadcast_to(samples.T, (2, len(samples))))
        lufs = float(integrated_loudness(torch.from_numpy(audio)[None], rate))
        wanted = _at_rate(audio, rate)
        for draw in range(draws):
            drawn = preset.draw(seed_of(1, "calibration", row["file"], draw)).at_rate(rate, 2)
            made = DegradationChain(replace(drawn, reference_lufs=lufs), 2)(audio.copy())
            heard = _at_rate(made, rate)
            level_db = drawn.level_lufs - float(integrated_loudness(heard[None], RATE))
            yield Rendered(row, draw, wanted, heard * db_to_gain(level_db), drawn)


def listen_to(out: Path, split: str, draws: int, preset_name: str = "mix") -> list[Heard]:
    """`rendered` excerpts as the encoder hears them; kept in a file."""
    preset = preset_of(preset_name)
    files = [row["file"] for row in excerpts_of(out, split)]
    key = hashlib.sha256(f"{files}{preset.recipe}{draws}".encode()).hexdigest()[:12]
    kept = out / "material" / f"heard_{split}_{key}.pt"
    if kept.is_file():
        return torch.load(kept, weights_only=False)  # a file of our own, made by the lines below
    model = build(model_config())
    found = [hear(model, pair) for pair in rendered(out, split, draws, preset)]
    kept.parent.mkdir(parents=True, exist_ok=True)
    torch.save(found, kept)
    return found


def hear(model: MasteringModel, pair: Rendered) -> Heard:
    """A rendered pair as the model's encoder hears it, in the windows of nm-master."""
    encoder = model.encoder
    assert isinstance(encoder, LogMel)
    heard = pair.heard[None]
    window = min(round(WINDOW_S * RATE), heard.shape[-1])
    features, power = [], []
    for piece in heard.split(window, dim=-1):
        if piece.shape[-1] < window:
            continue
        level = float(integrated_loudness(piece, RATE, floor_lufs=model.silence_lufs))
        if level > model.silence_lufs:
            features.append(encoder.features(piece * db_to_gain(model.analysis_lufs - level))[1][0])
            power.append(10.0 ** (level / 10.0))
    wanted = -true_curve_db(pair.drawn)
    return Heard(
        torch.stack(features),
        torch.tensor(power),
        pair.drawn.level_lufs,
        wanted - wanted.mean(),
        pair.row["group"],
        pair.row["file"],
    )


def _at_rate(audio: np.ndarray, rate: int) -> torch.Tensor:
    if rate != RATE:
        audio = np.ascontiguousarray(soxr.resample(audio.T, rate, RATE, quality="VHQ").T)
    return torch.from_numpy(audio).float()


def observe(model: MasteringModel, heard: list[Heard]) -> list[dict[str, Any]]:
    """For each pair: group, move, spread, the predicted and the wanted curve (each less its mean)."""
    return [
        {
            "group": pair.group,
            "song": pair.song,
            "move_db": move_db,
            "spread_db": spread_db,
            "curve_db": curve.tolist(),
            "wanted_db": pair.wanted_db.tolist(),
        }
        for pair, (curve, move_db, spread_db) in zip(heard, answers(model, heard), strict=True)
    ]


def true_curve_db(drawn: Degradation) -> torch.Tensor:
    """Equaliser and low-pass of a degradation at CURVE_HZ."""
    from neural_mastering.data.degradation import eq_curve_db

    total = eq_curve_db(drawn, CURVE_HZ).float()
    if drawn.lowpass_hz:
        warped = torch.tan(math.pi * CURVE_HZ / RATE) / math.tan(math.pi * drawn.lowpass_hz / RATE)
        total = total - 10.0 * torch.log10(1.0 + warped**4)
    return total
