"""What a learned engineer does, in words: made from the numbers, never read back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from neural_mastering.dsp.third_octaves import BROAD, Float64s
from neural_mastering.engineer.learned import LearnedEngineer
from neural_mastering.engineer.pair import PairMeasurement
from neural_mastering.engineer.reactions import number_reactions, tone_reactions
from neural_mastering.engineer.traits import TRAITS
from neural_mastering.learning.cross_validation import Validation
from neural_mastering.reporting.markup import number
from neural_mastering.styles.regions import REGIONS

WORTH_DB = 0.3
"""A region that moves by less is left out of sentences."""

LEAST_PART = 0.15
"""A trait that accounts for less of what differs is left out."""

MOST_TRAITS = 3


def tone_words(engineer: LearnedEngineer) -> list[str]:
    """The average move, and what it depends on."""
    found = [f"On average: {_regions(engineer.mean_db) or 'the tone stays as it is'}."]
    reacts = tone_reactions(engineer, MOST_TRAITS)
    if reacts.size_db < WORTH_DB:
        return [*found, "The model gives every song about this average."]
    if reacts.own_part >= 0.5:
        does = "takes back" if reacts.own_share < 0.0 else "adds"
        found.append(
            f"Where a song's balance differs from that of the others, the model {does} "
            f"about {100.0 * abs(reacts.own_share):.0f} % of the difference "
            f"({100.0 * reacts.own_part:.0f} % of what differs)."
        )
    for reaction in reacts.traits:
        regions = _regions(reaction.change)
        if reaction.part >= LEAST_PART and regions:
            found.append(
                f"Songs that are {TRAITS[reaction.trait].more} get {regions} (for one standard deviation between "
                f"your songs; {100.0 * reaction.part:.0f} % of what differs)."
            )
    return found


_NUMBERS = (
    ("loudness_lufs", "Loudness", "LUFS", "LU"),
    ("plr_db", "Peak to loudness ratio", "dB", "dB"),
    ("lra_lu", "Loudness range", "LU", "LU"),
    ("width_db", "Width, side against mid", "dB", "dB"),
)


def level_words(engineer: LearnedEngineer, pairs: Sequence[PairMeasurement]) -> list[str]:
    """Loudness, dynamics and width of the masters, and what they depend on."""
    found = []
    for name, title, unit, step in _NUMBERS:
        before = np.array([getattr(p.features, name) for p in pairs])
        after = np.array([getattr(p.move, name) for p in pairs])
        text = (
            f"{title}: {number(float(np.median(before)))} → {number(float(np.median(after)))} {unit} "
            f"(masters from {number(float(after.min()))} to {number(float(after.max()))})"
        )
        reasons = [
            f"{number(float(each.change[0]), signed=True)} {step} where the mix is {TRAITS[each.trait].more}"
            for each in number_reactions(engineer, name)
            if each.part >= LEAST_PART and abs(each.change[0]) >= 0.2
        ]
        imposed = " nm-master sets this width" if name in engineer.imposed else ""
        found.append(
            text + (f"; {', '.join(reasons)}" if reasons else "") + "." + (imposed and f"{imposed}.")
        )
    return found


def percent(share: float) -> str:
    """A share as it is printed; far below nothing it says so, since only the sign means something there.

    >>> percent(0.634), percent(-0.0004), percent(-0.17), percent(-47.6)
    ('63 %', '0 %', '−17 %', 'below −100 %')
    """
    return "below −100 %" if share < -1.0 else f"{number(100.0 * share, 0)} %"


def worse(validation: Validation) -> str:
    """That the tone was further off than without a change."""
    score = validation.learned
    untouched_db = score.error_db / math.sqrt(max(1.0 - score.explained, 1e-9))
    return (
        f"the learned tone was further from the engineer's ({score.error_db:.2f} dB) than no change at all "
        f"({untouched_db:.2f} dB): these pairs have no tone in common that can be learned"
    )


def quality_words(validation: Validation | None, count: int) -> list[str]:
    """How well it was learned, honestly."""
    if validation is None:
        return [f"{count} songs are too few, or of too few groups, to hold any out: this was not tested."]
    score, (low, high) = validation.learned, validation.gain
    found = [
        f"On {len(validation.songs)} songs, each predicted from songs of other groups, "
        f"{100.0 * score.explained:.0f} % of the tonal move was predicted "
        f"(root mean square error {score.error_db:.2f} dB).",
    ]
    if validation.is_worse_than_nothing:
        found = [
            f"On {len(validation.songs)} songs, each predicted from songs of other groups, {worse(validation)}."
        ]
    part = f"{percent(score.dependent)} (95 % interval {percent(low)} to {percent(high)})"
    if validation.is_song_dependent:
        found.append(f"Of what differs from song to song, beyond the average, {part} was predicted.")
        if validation.tone_trust < 0.95:
            found.append(
                f"The model leaves the average by {100.0 * validation.tone_trust:.0f} % of what it predicts: as "
                "far as songs of other groups bear it out."
            )
    else:
        found.append(
            f"Of what differs from song to song, beyond the average, {part} was predicted: the model uses the "
            "average" + ("." if validation.is_worse_than_nothing else ", about the best these pairs allow.")
        )
    return found


def _regions(curve_db: Float64s) -> str:
    """Regions that move, from low to high; what lies beyond the broad band is left to the charts."""
    parts = []
    for region in REGIONS:
        inside = region.bands & BROAD
        if inside.any():
            change = float(curve_db[inside].mean())
            if abs(change) >= WORTH_DB:
                parts.append(f"{number(change, signed=True)} dB {region.name} ({region.span})")
    return ", ".join(parts)
