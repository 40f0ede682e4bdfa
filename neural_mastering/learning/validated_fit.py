"""An engineer that is believed as far as songs bear him out that were held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neural_mastering.engineer.fit import fit
from neural_mastering.engineer.learned import LearnedEngineer
from neural_mastering.engineer.pair import PairMeasurement
from neural_mastering.engineer.shrinkage import with_tone_trust
from neural_mastering.learning.cross_validation import MODEL, MOST_FOLDS, Validation, cross_validate
from neural_mastering.learning.outliers import outliers, tone_distances


@dataclass(frozen=True)
class UnlikePair:
    """A pair that was not learned from.

    Attributes:
        place: in the list of pairs.
        distance_db: RMS distance of its tone from what the others say.
        usual_db: the median of these distances.
    """

    place: int
    distance_db: float
    usual_db: float


@dataclass(frozen=True)
class ValidatedEngineer:
    """What was learned, and how well.

    Attributes:
        engineer: with the trust, the spread and the imposed numbers that the validation found.
        validation: on groups that were held out; None where there were too few.
        left_out: pairs that are unlike all others.
    """

    engineer: LearnedEngineer
    validation: Validation | None
    left_out: tuple[UnlikePair, ...]


def fit_validated(
    pairs: Sequence[PairMeasurement],
    groups: Sequence[str],
    done: Callable[[int], None] | None = None,
    most_folds: int = MOST_FOLDS,
) -> ValidatedEngineer:
    """Cross-validate, leave out pairs that are unlike all others, fit, and believe what came true.

    Args:
        pairs: measured, 3 or more.
        groups: (song,) of each; those of one group are held out together.
        done: called after each fit of the first validation, and after the last fit.
        most_folds: of the cross-validation.

    Raises:
        InputError: fewer than 3 pairs.
    """
    validation = cross_validate(pairs, groups, done, most_folds) if len(pairs) > 2 else None
    places = [] if validation is None else outliers(validation.songs, MODEL)
    left_out: tuple[UnlikePair, ...] = ()
    if validation is not None and places:
        distances = tone_distances(validation.songs, MODEL)
        left_out = tuple(UnlikePair(i, float(distances[i]), float(np.median(distances))) for i in places)
        kept = [i for i in range(len(pairs)) if i not in places]
        pairs, groups = [pairs[i] for i in kept], [groups[i] for i in kept]
        validation = cross_validate(pairs, groups, None, most_folds)
    engineer = fit(pairs, groups)
    if validation is not None:
        engineer = replace(
            with_tone_trust(engineer, validation.tone_trust if validation.is_song_dependent else 0.0),
            spread_factor=validation.spread_factor,
            imposed=validation.imposed,
        )
    if done is not None:
        done(-1)
    return ValidatedEngineer(engineer, validation, left_out)
