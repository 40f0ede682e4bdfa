"""What a learned engineer reacts to: the traits of a song that go with what is predicted for it.

With F (song, third) the predicted moves less their mean and t a standardised trait, curve = Fᵀt/n is what a song
with one standard deviation more of it gets, and n·‖curve‖²/‖F‖² the part of what differs that the trait accounts
for. The trait that accounts for most is said first; the next one for what is left. Traits go together, so this says
what to expect and not why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_mastering.dsp.third_octaves import BROAD, Float64s
from neural_mastering.engineer.learned import KnownSongs, LearnedEngineer
from neural_mastering.engineer.traits import TRAITS

LEAST_DEVIATION = 1e-3
"""Predictions that differ by less than this between songs are the same for all."""


@dataclass(frozen=True)
class Reaction:
    """What goes with one trait.

    Attributes:
        trait: its index in `TRAITS`.
        change: (output,) for one standard deviation more of it.
        part: 0 to 1, of all that differs between the predictions.
    """

    trait: int
    change: Float64s
    part: float


@dataclass(frozen=True)
class ToneReactions:
    """What the predicted moves depend on.

    Attributes:
        own_share: share of a song's deviation from the mean spectrum that is added to it; below 0, taken back.
        own_part: 0 to 1, the part of what differs that this accounts for.
        traits: further ones, of what is left.
        size_db: root mean square of what differs, 50 Hz to 12.5 kHz.
    """

    own_share: float
    own_part: float
    traits: tuple[Reaction, ...]
    size_db: float


def reactions(
    predicted: Float64s, traits: Float64s, count: int, total: float | None = None
) -> list[Reaction]:
    """The traits that account for most of (song, output) predictions, one after the other.

    Args:
        predicted: less their mean.
        traits: (song, trait) standardised.
        count: how many at most.
        total: what `part` refers to; None for the power of `predicted`.
    """
    left, found, songs = predicted.copy(), [], len(predicted)
    inputs = traits - traits.mean(axis=0)
    total = float((predicted**2).sum()) if total is None else total
    for _ in range(count):
        size = np.sqrt((inputs**2).mean(axis=0))
        unit = np.where(
            size > 0.3, inputs / np.maximum(size, 1e-9), 0.0
        )  # what is left of a trait after others
        slopes = unit.T @ left / songs
        power = songs * (slopes**2).sum(axis=1)
        best = int(power.argmax())
        if total <= 0.0 or power[best] <= 0.0:
            break
        own = traits[:, best] - traits[:, best].mean()
        change = own @ predicted / max(float(own @ own), 1e-9) * float(own.std())
        found.append(Reaction(best, change, float(power[best] / total)))
        left = left - np.outer(unit[:, best], slopes[best])
        inputs = inputs - np.outer(unit[:, best], unit[:, best] @ inputs / songs)
    return found


def tone_reactions(engineer: LearnedEngineer, count: int = 3) -> ToneReactions:
    """Of the predicted curves on the known songs."""
    moves = engineer.known_moves()[:, BROAD]
    moves = moves - moves.mean(axis=0)
    levels = engineer.known.levels_db[:, BROAD]
    levels = levels - levels.mean(axis=0)
    size = float(np.sqrt((moves**2).mean()))
    total = float((moves**2).sum())
    if size < LEAST_DEVIATION:
        return ToneReactions(0.0, 0.0, (), 0.0)
    share = float((moves * levels).sum() / max(float((levels**2).sum()), 1e-9))
    part = share**2 * float((levels**2).sum()) / total
    left = moves - share * levels if part >= 0.5 else moves
    found = reactions(left, _audible(engineer.known), count, total)
    wide = []
    for each in found:
        held = np.flatnonzero(BROAD)
        wide.append(Reaction(each.trait, np.interp(np.arange(len(BROAD)), held, each.change), each.part))
    return ToneReactions(share, part, tuple(wide), size)


def number_reactions(engineer: LearnedEngineer, name: str, count: int = 1) -> list[Reaction]:
    """Of one predicted number on the known songs."""
    values = engineer.known_numbers(name)
    values = values - values.mean()
    if values.std() < LEAST_DEVIATION:
        return []
    return reactions(values[:, None], engineer.known.traits, count)


def _audible(known: KnownSongs) -> Float64s:
    """Traits, without those that say how loud the mix is."""
    return known.traits * np.array([0.0 if trait.level else 1.0 for trait in TRAITS])
