"""How well an engineer is learned, on songs that were not learned from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neural_mastering.dsp.third_octaves import BROAD, Float64s
from neural_mastering.engineer.fit import fit
from neural_mastering.engineer.learned import NUMBERS, Prediction
from neural_mastering.engineer.pair import PairMeasurement
from neural_mastering.learning.baselines import baselines

MODEL = "learned engineer"
MOST_FOLDS = 10
LEAST_TO_LEARN_FROM = 3
LEAST_WIDTH_DB = 0.2
"""An engineer who changes the width by less leaves it alone."""


@dataclass(frozen=True)
class HeldOut:
    """One song, predicted by a fit that did not know its group.

    Attributes:
        pair: the song.
        curves: predicted moves (third,) by system.
        prediction: of the learned engineer.
        average: mean of each number over the songs that were learned from.
    """

    pair: PairMeasurement
    curves: Mapping[str, Float64s]
    prediction: Prediction
    average: Mapping[str, float]


@dataclass(frozen=True)
class SystemScore:
    """Of one system over all songs.

    Attributes:
        name: of the system.
        error_db: root mean square distance of its moves from the engineer's, 50 Hz to 12.5 kHz.
        explained: 1 − squared error over that of doing nothing.
        dependent: 1 − squared error over that of the average of the other songs: what is learned of how it reacts
            to a song; 0 for the average itself.
    """

    name: str
    error_db: float
    explained: float
    dependent: float


@dataclass(frozen=True)
class NumberScore:
    """Mean absolute error of one number of the master: learned, and by the average of the other songs."""

    name: str
    learned: float
    average: float


@dataclass(frozen=True)
class Validation:
    """A whole cross-validation.

    Attributes:
        songs: each held out once.
        folds: how many fits.
        scores: by system, the learned engineer first.
        numbers: by number.
        gain: (low, high) of `dependent` of the learned engineer, a 95 % interval over groups.
        tone_trust: share of the song-dependent tone that comes true in these fits, 0 to 1, see `tone_trust`.
        imposed: numbers that nm-master may make true, see `width_is_borne_out`.
        spread_factor: by which predicted standard deviations come true, for the curve and each number.
    """

    songs: tuple[HeldOut, ...]
    folds: int
    scores: tuple[SystemScore, ...]
    numbers: tuple[NumberScore, ...]
    gain: tuple[float, float]
    tone_trust: float
    imposed: tuple[str, ...]
    spread_factor: Mapping[str, float]

    @property
    def learned(self) -> SystemScore:
        """Of the learned engineer."""
        return self.scores[0]

    @property
    def is_song_dependent(self) -> bool:
        """The learned engineer is better than the average, beyond its interval, and so is trusted."""
        return self.gain[0] > 0.0 and self.tone_trust > 0.0

    @property
    def is_worse_than_nothing(self) -> bool:
        """The predicted tones were clearly further from the engineer's than leaving the songs alone."""
        return self.learned.explained < -0.05


def fold_of(groups: Sequence[str], most: int = MOST_FOLDS) -> list[int]:
    """(song,) the fold that each belongs to; a group is never split, and folds are of similar size."""
    names, counts = np.unique(np.array(groups), return_counts=True)
    sizes = np.zeros(min(most, len(names)), dtype=int)
    place: dict[str, int] = {}
    for i in np.argsort(-counts, kind="stable"):
        place[str(names[i])] = int(sizes.argmin())
        sizes[sizes.argmin()] += counts[i]
    return [place[group] for group in groups]


def cross_validate(
    pairs: Sequence[PairMeasurement],
    groups: Sequence[str],
    done: Callable[[int], None] | None = None,
    most_folds: int = MOST_FOLDS,
) -> Validation | None:
    """Hold out each group once; None where too few songs or only one group are left to learn from.

    Args:
        pairs: measured.
        groups: (song,) of each.
        done: called after each fold.
        most_folds: groups are gathered into at most so many.
    """
    folds = np.array(fold_of(groups, most_folds))
    songs: dict[int, HeldOut] = {}
    for fold in range(int(folds.max()) + 1):
        inside, outside = (np.flatnonzero(chosen).tolist() for chosen in (folds == fold, folds != fold))
        train = [pairs[i] for i in outside]
        if len(train) < LEAST_TO_LEARN_FROM:
            return None
        engineer = fit(train, [groups[i] for i in outside])
        others = baselines(train)
        average = {name: float(np.mean([getattr(p.move, name) for p in train])) for name in NUMBERS}
        for i in inside:
            song = pairs[i].features
            found = engineer.predict(song)
            curves = {MODEL: found.curve_db} | {name: curve(song) for name, curve in others.items()}
            songs[i] = HeldOut(pairs[i], curves, found, average)
        if done is not None:
            done(fold)
    return _validation([songs[i] for i in range(len(pairs))], groups, int(folds.max()) + 1)


def _validation(songs: Sequence[HeldOut], groups: Sequence[str], folds: int) -> Validation:
    true = np.stack([s.pair.move.curve_db[BROAD] for s in songs])
    power = {name: _squares(songs, true, name) for name in songs[0].curves}
    nothing, average = power["nothing"].sum(), power["average EQ"].sum()
    scores = tuple(
        SystemScore(
            name,
            float(np.sqrt(p.mean() / true.shape[1])),
            float(1.0 - p.sum() / max(nothing, 1e-12)),
            float(1.0 - p.sum() / max(average, 1e-12)),
        )
        for name, p in power.items()
    )
    numbers = tuple(
        NumberScore(
            name,
            float(
                np.mean([abs(s.prediction.numbers[name].value - getattr(s.pair.move, name)) for s in songs])
            ),
            float(np.mean([abs(s.average[name] - getattr(s.pair.move, name)) for s in songs])),
        )
        for name in NUMBERS
    )
    return Validation(
        songs=tuple(songs),
        folds=folds,
        scores=scores,
        numbers=numbers,
        gain=_interval(power[MODEL], power["average EQ"], groups),
        tone_trust=tone_trust(songs, groups),
        imposed=("width_db",) if width_is_borne_out(songs, groups) else (),
        spread_factor=_spread_factors(songs, true),
    )


def tone_trust(songs: Sequence[HeldOut], groups: Sequence[str]) -> float:
    """How much of what the fits say beyond the average comes true for the groups that they did not know.

    With p the predicted and d the actual move, both less the average of the other songs, the least squares share is
    a = Σpd/Σp², and e its standard error from the sums of whole groups. Of it is believed a·(1 − (e/a)²), from 0 to
    1: a share that is clear is believed almost whole, one within its error of 0 not at all (the form of
    positive-part shrinkage, Efron, Morris, JASA 68, 1973).
    """
    average = np.stack([s.curves["average EQ"][BROAD] for s in songs])
    predicted = np.stack([s.curves[MODEL][BROAD] for s in songs]) - average
    actual = np.stack([s.pair.move.curve_db[BROAD] for s in songs]) - average
    size, shared = (predicted**2).sum(axis=1), (predicted * actual).sum(axis=1)
    if size.sum() < 1e-9 * max(float((actual**2).sum()), 1e-9) or shared.sum() <= 0.0:
        return 0.0
    share = float(shared.sum() / size.sum())
    _, index = np.unique(np.array(groups), return_inverse=True)
    error = float(np.sqrt((np.bincount(index, shared - share * size) ** 2).sum()) / size.sum())
    return float(np.clip(share * (1.0 - (error / share) ** 2), 0.0, 1.0))


def width_is_borne_out(songs: Sequence[HeldOut], groups: Sequence[str]) -> bool:
    """The predicted width is nearer to the master's than the mix's own, beyond a 95 % interval over groups."""
    width = np.array([s.pair.move.width_db for s in songs])
    untouched = np.array([s.pair.features.width_db for s in songs]) - width
    learned = np.array([s.prediction.width_db for s in songs]) - width
    if float((untouched**2).mean()) < LEAST_WIDTH_DB**2:
        return False
    return _interval(learned**2, untouched**2, groups)[0] > 0.0


def _squares(songs: Sequence[HeldOut], true: Float64s, name: str) -> Float64s:
    """(song,) sum of squared errors."""
    return ((np.stack([s.curves[name][BROAD] for s in songs]) - true) ** 2).sum(axis=1)


def _interval(model: Float64s, average: Float64s, groups: Sequence[str]) -> tuple[float, float]:
    """95 % of 1 − model/average over resampled groups, seeded."""
    names, index = np.unique(np.array(groups), return_inverse=True)
    by_group = np.stack([np.bincount(index, p, len(names)) for p in (model, average)])
    chosen = np.random.default_rng(0).integers(0, len(names), (2_000, len(names)))
    totals = by_group[:, chosen].sum(axis=-1)
    low, high = np.quantile(1.0 - totals[0] / np.maximum(totals[1], 1e-12), [0.025, 0.975])
    return float(low), float(high)


def _spread_factors(songs: Sequence[HeldOut], true: Float64s) -> dict[str, float]:
    """Root mean square error over that of the predicted deviations, pulled towards 1 as by ten songs that fit.

    Sums are compared, not songs: a fit to few songs that happen to agree states a deviation of nearly 0, and a
    single one of them would make the ratio anything.
    """

    def factor(squared_errors: Float64s, variances: Float64s) -> float:
        fitting = 10.0 * max(float(variances.mean()), 1e-6)
        return float(np.sqrt((squared_errors.sum() + fitting) / (variances.sum() + fitting)))

    curve = np.stack([s.prediction.curve_db[BROAD] for s in songs]) - true
    sigma = np.stack([s.prediction.curve_sigma_db[BROAD] for s in songs])
    found = {"curve": factor((curve**2).mean(axis=1), (sigma**2).mean(axis=1))}
    for name in NUMBERS:
        predicted = [s.prediction.numbers[name] for s in songs]
        errors = [
            number.value - getattr(s.pair.move, name) for number, s in zip(predicted, songs, strict=True)
        ]
        found[name] = factor(np.square(errors), np.square([number.sigma for number in predicted]))
    return found
