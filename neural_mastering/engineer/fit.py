"""Learning an engineer from measured pairs: closed forms and a grid, seconds for a hundred songs, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, Float64s
from neural_mastering.engineer.learned import (
    CHANGES,
    CONTENT_CLIP,
    NUMBERS,
    SPARSE,
    KnownSongs,
    LearnedEngineer,
    Output,
    kernels_between,
    smoothed,
)
from neural_mastering.engineer.pair import PairMeasurement
from neural_mastering.engineer.score import TEMPER, fit_score, mean_only
from neural_mastering.engineer.traits import TRAITS, clipped, filled_levels_db, trait_values
from neural_mastering.engineer.trust import trust_in
from neural_mastering.errors import InputError
from neural_mastering.normality import NormalTone, load_normal_tone

LEAST_PAIRS = 3
SONG_DEPENDENT_PAIRS = 10
"""With fewer, only the average is learned."""

MOST_CURVES = 6
KEPT_POWER = 0.995
"""Curves are added until they explain this share of how moves differ."""

SMOOTHINGS = (1, 3, 5, 7)
"""Bands over which a spectrum may be smoothed before a part of it is taken back."""

LEAST_COUPLED = 0.4

OWN_ODDS = 4.0
"""How much likelier a number depends on its own counterpart in the mix than on any other trait."""

_COUNTERPART = {
    "loudness_lufs": ("loudness", "plr", "crest_middle", "lra"),
    "plr_db": ("plr", "crest_middle"),
    "lra_lu": ("lra",),
    "width_db": ("width", "correlation"),
    "true_peak_db": ("plr", "loudness"),
}


def fit(pairs: Sequence[PairMeasurement], groups: Sequence[str] | None = None) -> LearnedEngineer:
    """Learn an engineer from at least 3 pairs.

        move(song, band) = mean(band) + α·(level(song, band) − mean level) + Σᵣ scoreᵣ(song)·curveᵣ(band)

    The curves are the principal components of how the moves differ; each score, and each of the master's loudness,
    PLR, LRA and change of width, is a `ScoreModel` of the song, believed as far as it comes true for groups of
    songs that are held out (`trust`).

    Args:
        pairs: measured.
        groups: (song,) songs of one group are alike, such as an album, and held out together; None takes each for
            itself.

    Raises:
        InputError: fewer than 3 pairs.
    """
    if len(pairs) < LEAST_PAIRS:
        raise InputError(
            f"{len(pairs)} usable pairs: expected {LEAST_PAIRS} or more, and about 20 to learn how the engineer "
            "reacts to a song"
        )
    known = known_songs(pairs)
    moves = np.stack([pair.move.curve_db for pair in pairs])
    levels = known.levels_db
    mean, mean_levels = moves.mean(axis=0), levels.mean(axis=0)
    differences = moves - mean
    coupling, smoothing = _coupling(differences, levels - mean_levels)
    differences = differences - coupling * smoothed(levels - mean_levels, smoothing)
    allowed = np.array([0.0 if trait.level else 1.0 for trait in TRAITS])
    basis = _basis(differences)
    scores = tuple(_curve_output(known, differences @ shape, shape, allowed, groups) for shape in basis)
    rest = differences - (differences @ basis.T) @ basis
    numbers = {
        name: _number_output(known, np.array([_number(p, name) for p in pairs]), name, groups)
        for name in NUMBERS
    }
    return LearnedEngineer(
        known=known,
        mean_db=mean,
        coupling=coupling,
        smoothing=smoothing,
        mean_levels_db=mean_levels,
        basis=basis,
        scores=scores,
        rest_db=np.sqrt((rest**2).sum(axis=0) / max(len(pairs) - 1, 1)),
        numbers=numbers,
    )


@lru_cache(maxsize=1)
def _normal_tone() -> NormalTone:
    return load_normal_tone()


def known_songs(pairs: Sequence[PairMeasurement]) -> KnownSongs:
    """The mixes of pairs, standardised: traits among themselves, content by the many songs of the normal tone."""
    songs = [pair.features for pair in pairs]
    normal = _normal_tone()
    if any(song.content.names != normal.names for song in songs):
        raise InputError("the pairs were measured with another version of the package: measure them again")
    traits = trait_values(songs)
    centre, scale = traits.mean(axis=0), np.maximum(traits.std(axis=0), 1e-6)
    regression = normal.regression
    content = (np.stack([s.content.values for s in songs]) - regression.centre) / regression.scale
    return KnownSongs(
        names=tuple(pair.name for pair in pairs),
        traits=clipped((traits - centre) / scale),
        trait_centre=centre,
        trait_scale=scale,
        content=np.clip(content, -CONTENT_CLIP, CONTENT_CLIP),
        content_names=normal.names,
        content_centre=regression.centre,
        content_scale=regression.scale,
        levels_db=np.stack([filled_levels_db(song) for song in songs]),
    )


def _coupling(differences: Float64s, deviations: Float64s) -> tuple[float, int]:
    """One slope for all bands and songs, and the smoothing of the spectrum; 0 where held-out songs don't show it.

    Each song is predicted with the slope of the others. The slope is used where this takes at least
    `LEAST_COUPLED` of the power of the differences away: less can come from traits that go with the spectrum.
    """
    if len(differences) < SONG_DEPENDENT_PAIRS:
        return 0.0, 1
    wanted = differences[:, BROAD]
    best, slope, bands = LEAST_COUPLED, 0.0, 1
    for width in SMOOTHINGS:
        own = smoothed(deviations, width)[:, BROAD]
        shared, power = (own * wanted).sum(axis=1), (own**2).sum(axis=1)
        others = (shared.sum() - shared) / np.maximum(power.sum() - power, 1e-9)
        left = ((wanted - others[:, None] * own) ** 2).sum() / max(float((wanted**2).sum()), 1e-12)
        if 1.0 - left > best:
            best, slope, bands = 1.0 - left, float(shared.sum() / power.sum()), width
    return slope, bands


def _basis(differences: Float64s) -> Float64s:
    """(score, third) principal curves."""
    count = min(len(differences) - 1, MOST_CURVES)
    _, sizes, curves = np.linalg.svd(differences, full_matrices=False)
    power = np.cumsum(sizes**2) / max((sizes**2).sum(), 1e-12)
    kept = int(np.searchsorted(power, KEPT_POWER) + 1)
    return curves[: max(min(count, kept), 1)] if (sizes > 1e-9).any() else np.zeros((0, differences.shape[1]))


def _number(pair: PairMeasurement, name: str) -> float:
    value = float(getattr(pair.move, name))
    return value - float(getattr(pair.features, name)) if name in CHANGES else value


def _curve_output(
    known: KnownSongs, values: Float64s, shape: Float64s, allowed: Float64s, groups: Sequence[str] | None
) -> Output:
    curve = np.where(BROAD, shape, 0.0)
    own = known.levels_db @ curve
    blank = Output(
        model=None,  # pyright: ignore[reportArgumentType]  # replaced below
        allowed=allowed,
        own_curve=curve,
        own_centre=float(own.mean()),
        own_scale=float(max(own.std(), 1e-6)),
    )
    odds = np.append(allowed, OWN_ODDS)
    return _fitted(known, values, blank, odds, TEMPER, groups)


def _number_output(known: KnownSongs, values: Float64s, name: str, groups: Sequence[str] | None) -> Output:
    blank = Output(
        model=None,  # pyright: ignore[reportArgumentType]  # replaced below
        allowed=np.ones(len(TRAITS)),
        own_curve=np.zeros(len(CENTRES_HZ)),
    )
    near = _COUNTERPART[name]
    odds = np.array([OWN_ODDS if trait.name in near else 1.0 for trait in TRAITS] + [0.0])
    return _fitted(known, values, blank, odds, 1.0, groups)  # its counterpart in the mix is on the list


def _fitted(
    known: KnownSongs,
    values: Float64s,
    blank: Output,
    odds: Float64s,
    power: float,
    groups: Sequence[str] | None,
) -> Output:
    songs = (known.traits, blank.own(known.levels_db), known.content)
    kernels = kernels_between(songs, songs, blank.allowed)
    if len(values) < SONG_DEPENDENT_PAIRS:
        return replace(blank, model=mean_only(values))
    model = fit_score(values, kernels, SPARSE, odds, power)
    return replace(blank, model=model, trust=trust_in(model, kernels, groups, power))
