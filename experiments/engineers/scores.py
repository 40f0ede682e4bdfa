"""How much of what an engineer does was learned; intervals over the packages of the test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.engineers.hearing import BROAD, Float64s, Level
from experiments.engineers.pairs import Pair
from experiments.engineers.systems import Guess

DRAWS = 2_000


class Share(NamedTuple):
    """A share of 1 that may be negative, with its 95 % interval."""

    value: float
    low: float
    high: float


class Score(NamedTuple):
    """Of a system on the songs of the test.

    Attributes:
        whole: 1 − Σ(curve − truth)²/Σ truth², over songs and third octaves from 50 Hz to 12.5 kHz.
        song_dependent: 1 − Σ(curve − truth)²/Σ(truth − m)² with m the mean truth over these very songs, so that no
            curve that is the same for every song comes above 0.
        curve_db: RMS error of the curve.
        loudness_lu, plr_db, lra_lu, side_db: mean absolute errors.
    """

    whole: Share
    song_dependent: Share
    curve_db: float
    loudness_lu: float
    plr_db: float
    lra_lu: float
    side_db: float


def score(pairs: Sequence[Pair], guesses: Sequence[Sequence[Guess]]) -> Score:
    """Compare.

    Args:
        pairs: of the test.
        guesses: (seed)(pair) of systems that learned from other pairs.
    """
    truth = np.stack([pair.true_db[BROAD] for pair in pairs])
    error = np.stack([np.stack([guess.curve_db[BROAD] for guess in each]) - truth for each in guesses])
    left = (error**2).mean(axis=0).sum(axis=1)
    packages = [pair.mix.song.package for pair in pairs]
    levels = np.array([[*_numbers(pair.level), pair.side_db] for pair in pairs])
    guessed = np.array([[[g.loudness_lufs, g.plr_db, g.lra_lu, g.side_db] for g in each] for each in guesses])
    return Score(
        _share(left, (truth**2).sum(axis=1), packages),
        _share(left, ((truth - truth.mean(axis=0)) ** 2).sum(axis=1), packages),
        float(np.sqrt((error**2).mean())),
        *map(float, np.abs(guessed - levels).mean(axis=(0, 1))),
    )


def song_dependence(pairs: Sequence[Pair]) -> float:
    """Part of the whole move that differs between songs: Σ(truth − m)²/Σ truth²."""
    truth = np.stack([pair.true_db[BROAD] for pair in pairs])
    return float(((truth - truth.mean(axis=0)) ** 2).sum() / max(float((truth**2).sum()), 1e-12))


def _share(left: Float64s, all_of_it: Float64s, packages: Sequence[str]) -> Share:
    """1 − Σ left/Σ all; whole packages are drawn for the interval; NaN where there is nothing to learn."""
    if all_of_it.sum() < 1e-6 * len(left):
        return Share(float("nan"), float("nan"), float("nan"))
    labels, index = np.unique(np.asarray(packages), return_inverse=True)
    counts = np.random.default_rng(0).multinomial(
        labels.size, np.full(labels.size, 1.0 / labels.size), size=DRAWS
    )
    total_left, total = (np.bincount(index, v, labels.size) for v in (left, all_of_it))
    drawn = 1.0 - (counts @ total_left) / np.maximum(counts @ total, 1e-9)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Share(float(1.0 - left.sum() / all_of_it.sum()), float(low), float(high))


def _numbers(level: Level) -> tuple[float, float, float]:
    return level.loudness_lufs, level.plr_db, level.lra_lu
