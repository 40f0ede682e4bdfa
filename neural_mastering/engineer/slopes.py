"""How a learned engineer reacts to each trait of a song: the slope of every move, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.engineer.learned import KnownSongs, LearnedEngineer, Output, kernels_between
from neural_mastering.engineer.traits import TRAITS


@dataclass(frozen=True)
class Slopes:
    """Of one number.

    Attributes:
        by_trait: (trait,) change for one standard deviation more of each trait, averaged over all mixtures.
        chance: (trait,) probability that the trait counts.
        own: change for one standard deviation more of the song's own level along the curve.
        own_chance: probability that it counts.
    """

    by_trait: Float64s
    chance: Float64s
    own: float
    own_chance: float


def slopes_of(output: Output, known: KnownSongs) -> Slopes:
    """Of one learned number."""
    own = output.own(known.levels_db)
    songs = (known.traits, own, known.content)
    kernels = kernels_between(songs, songs, output.allowed)
    count, traits = known.traits.shape
    inputs = np.column_stack([known.traits, own])
    slopes, chance = np.zeros(traits + 1), np.zeros(traits + 1)
    model, ones = output.model, np.ones(count)
    for mixture, eta, weight in zip(model.mixtures, model.noise, model.weight, strict=True):
        k = sum(
            (s * kernels[i] for i, s in zip(mixture.indices, mixture.shares, strict=True)),
            np.zeros((count, count)),
        )
        c = (1.0 - eta) * k + eta * np.eye(count)
        solved = np.linalg.solve(c, np.column_stack([model.values, ones]))
        mean = (ones @ solved[:, 0]) / (ones @ solved[:, 1])
        pull = solved[:, 0] - mean * solved[:, 1]
        for index, share in zip(mixture.indices, mixture.shares, strict=True):
            if index <= traits:
                slopes[index] += weight * (1.0 - eta) * share * float(inputs[:, index] @ pull)
                chance[index] += weight
    return Slopes(slopes[:traits], chance[:traits], float(slopes[traits]), float(chance[traits]))


@dataclass(frozen=True)
class Reaction:
    """What one trait does to the tone.

    Attributes:
        trait: its index in `TRAITS`.
        curve_db: (third,) for one standard deviation more of it between the songs.
        chance: probability that it counts, the largest over the curves.
    """

    trait: int
    curve_db: Float64s
    chance: float


def tone_reactions(engineer: LearnedEngineer) -> list[Reaction]:
    """Of each trait, those that move the tone most first."""
    curves, chances = np.zeros((len(TRAITS), len(engineer.mean_db))), np.zeros(len(TRAITS))
    for shape, output in zip(engineer.basis, engineer.scores, strict=True):
        found = slopes_of(output, engineer.known)
        curves += np.outer(found.by_trait, shape)
        size = np.abs(found.by_trait) * np.abs(shape).max()
        chances = np.maximum(chances, np.where(size > 0.1, found.chance, 0.0))
    reactions = [Reaction(i, curve, float(chances[i])) for i, curve in enumerate(curves)]
    return sorted(reactions, key=lambda r: -float((r.curve_db**2).sum()))


def own_share(engineer: LearnedEngineer) -> float:
    """Share of a song's own deviation that is added to it; below 0 it is taken back, as on the way to a target.

    The mean over the curves, weighted by how much they differ between the songs, plus the common coupling.
    """
    shares, sizes = [], []
    for output in engineer.scores:
        found = slopes_of(output, engineer.known)
        shares.append(found.own / output.own_scale)
        sizes.append(float(output.model.values.var()))
    return engineer.coupling + (float(np.average(shares, weights=sizes)) if sum(sizes) > 0.0 else 0.0)
