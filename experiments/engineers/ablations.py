"""The learner without each of its ingredients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

from experiments.engineers.cache import Mix
from experiments.engineers.learned import features_of, learner, measurement_of
from experiments.engineers.pairs import Pair
from experiments.engineers.systems import Guess, Learned, System, average_eq
from neural_mastering.engineer import fit
from neural_mastering.errors import InputError
from neural_mastering.learning import PairMeasurement, SongFeatures
from neural_mastering.learning.baselines import baselines
from neural_mastering.normality import load_normal_tone

CROP_S = 5.0


def ablations(out: Path) -> dict[str, System]:
    """Systems by what they do without, the complete learner first."""
    return {
        "complete": learner(out),
        "without content features": learner(out, _without_content, _same_content),
        "content scaled by the pairs alone": _without_pretraining(out),
        "without evidence: ridge on all traits": _ridge_on_traits(out),
        "level left in the targets": learner(out, _with_level),
        "features of one crop of 5 s": learner(out, lambda pair, measured: _cropped(pair, measured, out)),
    }


def _same_content(features: SongFeatures) -> SongFeatures:
    """The content of no song in particular; spectrum, dynamics and width stay."""
    content = features.content
    return replace(features, content=replace(content, values=np.zeros_like(content.values)))


def _without_content(_: Pair, measured: PairMeasurement) -> PairMeasurement:
    return replace(measured, features=_same_content(measured.features))


def _without_pretraining(out: Path) -> System:
    """Content features standardised by these pairs instead of by the many songs of the normal tone."""

    def learn(pairs: Sequence[Pair]) -> Learned:
        normal = load_normal_tone()
        content = np.stack([features_of(pair.mix, out).content.values for pair in pairs])
        scale = np.maximum(content.std(axis=0), 1e-6)
        regression = replace(normal.regression, centre=content.mean(axis=0), scale=scale)
        with patch.object(fit, "_normal_tone", lambda: replace(normal, regression=regression)):
            return learner(out)(pairs)

    return learn


def _with_level(_: Pair, measured: PairMeasurement) -> PairMeasurement:
    """The curve as a spectrum analyser shows it, with the gain from mix to master."""
    gain_db = measured.move.loudness_lufs - measured.features.loudness_lufs
    return replace(measured, move=replace(measured.move, curve_db=measured.move.curve_db + gain_db))


def _cropped(pair: Pair, measured: PairMeasurement, out: Path) -> PairMeasurement:
    """A crop with nothing in it keeps the features of the whole song."""
    try:
        return replace(measured, features=features_of(pair.mix, out, CROP_S))
    except InputError:
        return measured


def _ridge_on_traits(out: Path) -> System:
    """The same traits, all of them, with one fixed ridge; level, dynamics and width by their averages."""

    def learn(pairs: Sequence[Pair]) -> Learned:
        curve = baselines([measurement_of(pair, out) for pair in pairs])["ridge regression"]
        rest = average_eq(pairs)

        def guess(mix: Mix) -> Guess:
            return replace(rest(mix), curve_db=curve(features_of(mix, out)))

        return guess

    return learn
