"""The baselines: each learns from pairs and guesses what the engineer would make of a new mix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from experiments.engineers.cache import Mix
from experiments.engineers.hearing import BROAD, CENTRES_HZ, Float64s, centred
from experiments.engineers.pairs import Pair
from neural_mastering.dsp.mix_errors import error_covariance


@dataclass(frozen=True)
class Guess:
    """What a system expects of a master.

    Attributes:
        curve_db: (third,) less its mean from 50 Hz to 12.5 kHz.
        loudness_lufs, plr_db, lra_lu: of the master.
        side_db: change of L − R against L + R.
    """

    curve_db: Float64s
    loudness_lufs: float
    plr_db: float
    lra_lu: float
    side_db: float


Learned = Callable[[Mix], Guess]
System = Callable[[Sequence[Pair]], Learned]

RIDGES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
_FLAT = np.zeros(len(CENTRES_HZ))


def identity(_: Sequence[Pair]) -> Learned:
    """Nothing is done."""
    return lambda mix: Guess(_FLAT, *_level(mix), 0.0)


def loudness_only(pairs: Sequence[Pair]) -> Learned:
    """The masters' mean loudness by a gain."""
    loudness = float(np.mean([pair.level.loudness_lufs for pair in pairs]))
    return lambda mix: replace(identity(pairs)(mix), loudness_lufs=loudness)


def average_eq(pairs: Sequence[Pair]) -> Learned:
    """The mean curve, the mean loudness, the mean change of all else."""
    mean = _targets(pairs).mean(axis=0)
    return lambda mix: _from_targets(mean, mix)


def match_full(pairs: Sequence[Pair]) -> Learned:
    """Each mix goes to the masters' mean spectrum."""
    goal = np.mean([pair.mix.heard.levels_db + pair.given_db for pair in pairs], axis=0)
    rest = average_eq(pairs)
    return lambda mix: replace(rest(mix), curve_db=centred(goal - mix.heard.levels_db))


def match_shrunk(pairs: Sequence[Pair]) -> Learned:
    """Towards it as far as the masters' covariance T and the size of the moves S say: S·(S + T)⁻¹ of the way."""
    masters = np.stack([pair.mix.heard.levels_db + pair.given_db for pair in pairs])
    moves = np.stack([pair.given_db for pair in pairs])[:, BROAD]
    goal, size_db = masters.mean(axis=0), float(np.sqrt((moves**2).mean()))
    spread = np.cov(masters.T)
    spread = 0.7 * spread + 0.3 * np.diag(np.diag(spread)) + 0.25 * np.eye(len(goal))
    errors = error_covariance(max(size_db, 0.1))
    gain, rest = errors @ np.linalg.inv(errors + spread), average_eq(pairs)
    return lambda mix: replace(rest(mix), curve_db=centred(gain @ (goal - mix.heard.levels_db)))


def ridge_long_term(pairs: Sequence[Pair]) -> Learned:
    """Ridge regression on third octaves, loudness, PLR, LRA and correlation; the ridge by leaving packages out."""
    mixes = [pair.mix for pair in pairs]
    raw = np.stack([_long_term(mix) for mix in mixes])
    centre, scale = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-3)
    own, targets = (raw - centre) / scale, _targets(pairs)
    packages = np.array([mix.song.package for mix in mixes])
    ridge = min(RIDGES, key=lambda each: _error_left_out(own, targets, packages, each))
    mean = targets.mean(axis=0)
    weights = _ridge(own, targets - mean, ridge)
    return lambda mix: _from_targets(mean + (_long_term(mix) - centre) / scale @ weights, mix)


def nearest_pair(pairs: Sequence[Pair]) -> Learned:
    """The curve and changes of the pair whose mix is most like this one, on the same features."""
    targets = _targets(pairs)
    return lambda mix: _from_targets(targets[closest(pairs, mix)], mix)


def closest(pairs: Sequence[Pair], mix: Mix) -> int:
    """Which pair's mix is most like another mix: nearest on the standardised long-term features."""
    raw = np.stack([_long_term(pair.mix) for pair in pairs])
    return int(np.argmin((((raw - _long_term(mix)) / np.maximum(raw.std(axis=0), 1e-3)) ** 2).sum(axis=1)))


def ridge_on(features: Callable[[Mix], Float64s], rounds: int = 30) -> System:
    """Ridge on the features that the engineer listens to: what a linear learner who knew them would reach.

    Args:
        features: (third or 1, feature). Features with a row for each third octave (a band's own level comes first)
            have one weight for all bands; the others one for each band.
        rounds: of going back and forth between the two.
    """

    def learn(pairs: Sequence[Pair]) -> Learned:
        split = [_split(features(pair.mix)) for pair in pairs]
        own = np.stack([each[0] for each in split])
        shared = np.stack([each[1] for each in split])
        own_mean, centre = own.mean(axis=0), shared.mean(axis=0)
        scale = np.maximum(shared.std(axis=0), 1e-6)
        targets = _targets(pairs)
        mean, bands = targets.mean(axis=0), len(CENTRES_HZ)
        own, shared, left = own - own_mean, (shared - centre) / scale, targets - mean
        slope, weights = 0.0, np.zeros((shared.shape[1], targets.shape[1]))
        for _ in range(rounds):
            rest = (left - shared @ weights)[:, :bands]
            slope = float((own * rest)[:, BROAD].sum() / ((own**2)[:, BROAD].sum() + 1e-9))
            without = left.copy()
            without[:, :bands] -= slope * own
            weights = _ridge(shared, without, 0.3)

        def guess(mix: Mix) -> Guess:
            band, common = _split(features(mix))
            found = mean + (common - centre) / scale @ weights
            found[:bands] += slope * (band - own_mean)
            return _from_targets(found, mix)

        return guess

    return learn


BASELINES: dict[str, System] = {
    "identity": identity,
    "loudness only": loudness_only,
    "average EQ": average_eq,
    "match to the average": match_full,
    "match, shrunk": match_shrunk,
    "ridge, long-term features": ridge_long_term,
    "nearest pair": nearest_pair,
}


def _split(features: Float64s) -> tuple[Float64s, Float64s]:
    """(third,) a band's own level, 0 without, and (feature,) those of the song."""
    if len(features) == 1:
        return _FLAT, features[0]
    return features[:, 0], features[0, 1:]


def _level(mix: Mix) -> tuple[float, float, float]:
    level = mix.heard.level
    return level.loudness_lufs, level.plr_db, level.lra_lu


def _long_term(mix: Mix) -> Float64s:
    return np.array([*mix.heard.levels_db[BROAD], *_level(mix), mix.heard.correlation])


def _targets(pairs: Sequence[Pair]) -> Float64s:
    """(pair, output): curve, loudness, changes of PLR and LRA, change of the side."""
    rows = []
    for pair in pairs:
        _, plr, lra = _level(pair.mix)
        level = pair.level
        rows.append(
            [*pair.given_db, level.loudness_lufs, level.plr_db - plr, level.lra_lu - lra, pair.side_db]
        )
    return np.array(rows)


def _from_targets(target: Float64s, mix: Mix) -> Guess:
    _, plr, lra = _level(mix)
    loudness, d_plr, d_lra, side = target[-4:]
    return Guess(centred(target[:-4]), float(loudness), plr + float(d_plr), lra + float(d_lra), float(side))


def _ridge(features: Float64s, targets: Float64s, ridge: float) -> Float64s:
    if not features.shape[1]:
        return np.zeros((0, targets.shape[1]))
    normal = features.T @ features + ridge * np.eye(features.shape[1])
    return np.asarray(np.linalg.solve(normal, features.T @ targets), dtype=np.float64)


def _error_left_out(features: Float64s, targets: Float64s, packages: np.ndarray, ridge: float) -> float:
    """Sum of squares over packages left out; 0 where there is one package only."""
    total = 0.0
    for package in np.unique(packages):
        held = packages == package
        if held.all():
            continue
        mean = targets[~held].mean(axis=0)
        weights = _ridge(features[~held], targets[~held] - mean, ridge)
        total += float(((targets[held] - mean - features[held] @ weights) ** 2).sum())
    return total
