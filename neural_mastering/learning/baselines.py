"""What an engineer that was learned has to beat: nothing, the average, a ridge regression, the nearest pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.engineer.features import SongFeatures
from neural_mastering.engineer.fit import known_songs
from neural_mastering.engineer.pair import PairMeasurement

Curve = Callable[[SongFeatures], Float64s]

RIDGE = 1.0
"""λ of the ridge regression (T·Tᵀ/traits + λ·I), on standardised traits."""


def baselines(pairs: Sequence[PairMeasurement]) -> Mapping[str, Curve]:
    """Curves (third,) by name, learned from pairs."""
    moves = np.stack([pair.move.curve_db for pair in pairs])
    mean = moves.mean(axis=0)
    known = known_songs(pairs)
    traits = known.traits
    normal = traits @ traits.T / traits.shape[1] + RIDGE * np.eye(len(traits))
    weights = np.linalg.solve(normal, moves - mean)

    def ridge(song: SongFeatures) -> Float64s:
        own = known.seen([song])[0][0]
        return mean + (traits @ own / traits.shape[1]) @ weights

    def nearest(song: SongFeatures) -> Float64s:
        content = known.seen([song])[1][0]
        return moves[int(((known.content - content) ** 2).sum(axis=1).argmin())]

    return {
        "nothing": lambda song: np.zeros(moves.shape[1]),
        "average EQ": lambda song: mean,
        "ridge regression": ridge,
        "nearest pair": nearest,
    }
