"""Excerpts degraded as audio: what a model is measured on, and its confidence fitted."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from experiments.bundled_model.features.filters import CURVE_HZ, lowpass_db
from experiments.bundled_model.features.mel_powers import RATE
from experiments.common.csv_files import read_rows
from neural_mastering.chance import seed_of
from neural_mastering.data.degradation import DegradationChain, DegradationPreset, eq_curve_db
from neural_mastering.data.degradation.parameters import Degradation
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.units import db_to_gain


@dataclass(frozen=True)
class DegradedExcerpt:
    """An excerpt and what the degradation made of it, both (2, time) at RATE.

    Attributes:
        row: of the manifest of the excerpts.
        draw: number of the degradation.
        target: the excerpt as it is.
        audio: what the model gets, at the level that was drawn.
        degradation: between the two.
    """

    row: dict[str, str]
    draw: int
    target: torch.Tensor
    audio: torch.Tensor
    degradation: Degradation


def excerpts_of(out: Path, split: str) -> list[dict[str, str]]:
    """Rows of the excerpts of a split."""
    return [row for row in read_rows(out / "excerpts" / "manifest.csv") if row["split"] == split]


def degraded_excerpts(
    out: Path, split: str, draws: int, preset: DegradationPreset
) -> Iterator[DegradedExcerpt]:
    """Excerpts of a split, each degraded so many times as audio."""
    for row in excerpts_of(out, split):
        samples, rate = soundfile.read(out / "excerpts" / row["file"], dtype="float64", always_2d=True)
        audio = np.ascontiguousarray(np.broadcast_to(samples.T, (2, len(samples))))
        lufs = float(integrated_loudness(torch.from_numpy(audio)[None], rate))
        target = _at_rate(audio, rate)
        for draw in range(draws):
            drawn = preset.draw(seed_of(1, "calibration", row["file"], draw)).at_rate(rate, 2)
            degraded = _at_rate(DegradationChain(replace(drawn, reference_lufs=lufs), 2)(audio.copy()), rate)
            level_db = drawn.level_lufs - float(integrated_loudness(degraded[None], RATE))
            yield DegradedExcerpt(row, draw, target, degraded * db_to_gain(level_db), drawn)


def true_curve_db(degradation: Degradation) -> torch.Tensor:
    """Equaliser and low-pass of a degradation at CURVE_HZ."""
    total = eq_curve_db(degradation, CURVE_HZ).float()
    if degradation.lowpass_hz:
        total = total + lowpass_db(CURVE_HZ, math.tan(math.pi * degradation.lowpass_hz / RATE))
    return total


def _at_rate(audio: np.ndarray, rate: int) -> torch.Tensor:
    if rate != RATE:
        audio = np.ascontiguousarray(soxr.resample(audio.T, rate, RATE, quality="VHQ").T)
    return torch.from_numpy(audio).float()
