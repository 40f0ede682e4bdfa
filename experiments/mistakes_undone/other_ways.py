"""What else could have been done about random mistakes of 2 dB, in hindsight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.common.mistakes import Condition, curve_db, draw
from experiments.common.normal_tone.best_posterior import SCALES, best_posterior
from experiments.common.normal_tone.measured_songs import Songs, full_band
from experiments.common.normal_tone.posterior_curve import Follow
from experiments.common.normal_tone.prediction import learn
from experiments.common.normal_tone.regression import rms_db, shapes
from experiments.common.normal_tone.shipped_songs import shipped_songs
from experiments.mistakes_undone.left_mistakes import Line, engine, left, mistakes_of
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.normality import load_normal_tone
from neural_mastering.styles.intensity import INTENSITIES_DB

SHIPPED, PLAIN = "as shipped", "mean and covariance of all songs"
TAUGHT, OWN = "taught by the test's other packages too", "knows what the package's other songs measure"
SPREADS = (0.5, 0.7, 1.4, 2.0)
FAMILY = 2_500
"""Mistakes that are known of the family, each with both signs."""


def way_lines(
    songs: Songs, whole: Songs, statements: Sequence[Gaussian], seed: int, draws: int
) -> list[Line]:
    """What else would have been done about random mistakes of 2 dB."""
    condition, balanced_db = Condition("random", 2.0), INTENSITIES_DB["balanced"]
    errors = mistakes_of(songs, condition, seed, draws)
    family = np.stack([curve_db(draw(condition, "limit", i)) for i in range(FAMILY)])
    family = np.concatenate([family, -family])
    ways: dict[str, Follow] = {
        SHIPPED: engine(statements, balanced_db),
        PLAIN: engine([load_normal_tone().general] * len(songs), balanced_db),
    }
    for factor in SPREADS:
        scaled = [Gaussian.of(each.mean, factor * each.covariance) for each in statements]
        ways[f"covariance times {factor:g}"] = engine(scaled, balanced_db)
    ways["family of the mistakes known"] = family_known(statements, family)
    taught = taught_by_others(songs, whole)
    ways[TAUGHT] = engine(taught, balanced_db)
    known = with_own_package(songs, statements)
    ways[OWN] = engine(known, balanced_db)
    shape = shapes(songs.levels_db, songs.filled)
    errors_db = {
        SHIPPED: statements,
        PLAIN: [load_normal_tone().general] * len(songs),
        TAUGHT: taught,
        OWN: known,
    }
    shipped = left(songs, errors, ways[SHIPPED])
    lines = []
    for name, follow in ways.items():
        cells = {"way": name} | (shipped if name == SHIPPED else left(songs, errors, follow)).cells(shipped)
        means = errors_db.get(name)
        cells["prediction, dB RMS"] = (
            "" if means is None else f"{rms_db(np.stack([each.mean for each in means]), shape):.2f}"
        )
        lines.append(cells)
    return lines


def with_own_package(songs: Songs, statements: Sequence[Gaussian]) -> list[Gaussian]:
    """Predictions that know by how much the other songs of the package were missed on average."""
    missed = shapes(songs.levels_db, songs.filled) - np.stack([each.mean for each in statements])
    found = []
    for song, each in enumerate(statements):
        others = (songs.package == songs.package[song]) & (np.arange(len(songs)) != song)
        rest = np.nanmean(np.where(np.isfinite(missed[others]), missed[others], np.nan), axis=0)
        found.append(Gaussian.of(each.mean + np.nan_to_num(rest), each.covariance))
    return found


def taught_by_others(songs: Songs, whole: Songs) -> list[Gaussian]:
    """Predictions by fits to the songs behind the weights and those of the test's other packages."""
    shipped, found = shipped_songs(), {}
    for package in np.unique(songs.package):
        learned = learn(together(shipped, whole.of((whole.package != package) & full_band(whole))))
        own = np.flatnonzero(songs.package == package)
        found |= dict(zip(own.tolist(), learned.of(songs.features[own]), strict=True))
    return [found[i] for i in range(len(songs))]


def together(one: Songs, other: Songs) -> Songs:
    """All songs of both."""
    keys = ("name", "package", "is_test", "is_simple", "features", "levels_db", "filled", "lufs")
    columns = {key: np.concatenate([getattr(one, key), getattr(other, key)]) for key in keys}
    return Songs(names=one.names, **columns)


def family_known(statements: Sequence[Gaussian], family: Float64s) -> Follow:
    """The best posterior of someone who knows the family of the mistakes."""

    def follow(spectrum: Float64s, known: np.ndarray, song: int) -> Float64s:
        mean, covariance = statements[song].mean, statements[song].covariance
        gap = (spectrum - mean)[known][None]
        found = best_posterior(gap, covariance[np.ix_(known, known)], np.ones(1), family[:, known], SCALES)
        return -(found.weights @ family)[0]

    return follow
