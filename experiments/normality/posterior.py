"""What a prediction is worth: errors are added to the spectra of finished songs and taken out again.

A mix measures x = t + e: the finished song's spectrum and an error. With e ~ N(0, P) and a prediction t ~ N(μ, Σ),
the equaliser's curve is −E[e | x]. The errors that are scored don't come from P: they are random shelves and
peaks, or one of the common directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.common.mistakes import Condition, curve_db, draw
from experiments.common.normal_tone.posterior_curve import Bools, Float64s, Follow
from neural_mastering.dsp.gaussian import Gaussian, combine
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ

LEVEL_DB = 10.0
WORSE_DB = 0.05


@dataclass(frozen=True)
class Score:
    """What is left of errors.

    Attributes:
        before, after: (song,) mean-square error over the known bands of broad tone, less its mean, in dB².
        package: (song,).
    """

    before: Float64s
    after: Float64s
    package: NDArray[np.str_]

    @property
    def removed(self) -> float:
        """Part of the error energy of all songs that is gone."""
        return 1.0 - float(self.after.sum() / self.before.sum())

    @property
    def worse(self) -> float:
        """Share of songs whose RMS error grew by more than 0.05 dB."""
        return float((np.sqrt(self.after) > np.sqrt(self.before) + WORSE_DB).mean())

    @property
    def worst_tenth_db(self) -> float:
        """Mean growth of the RMS error over the tenth of songs that fare worst."""
        growth = np.sort(np.sqrt(self.after) - np.sqrt(self.before))
        return float(growth[-max(len(growth) // 10, 1) :].mean())

    def per_package(self) -> tuple[Float64s, Float64s]:
        """Sums of the energies before and after by package, for the bootstrap."""
        _, inverse = np.unique(self.package, return_inverse=True)
        before, after = (np.bincount(inverse, weights=w) for w in (self.before, self.after))
        return np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)


def interval(
    score: Score, other: Score | None = None, draws: int = 2_000, seed: int = 0
) -> tuple[float, float]:
    """95 % of `removed`, or of its lead over another's, under drawing packages again."""
    rng = np.random.default_rng(seed)
    before, after = score.per_package()
    pick = rng.integers(len(before), size=(draws, len(before)))
    found = 1.0 - after[pick].sum(axis=1) / before[pick].sum(axis=1)
    if other is not None:
        before, after = other.per_package()
        found = found - (1.0 - after[pick].sum(axis=1) / before[pick].sum(axis=1))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def random_errors(count: int, rms_db: float, rng: np.random.Generator) -> Float64s:
    """Curves (count, third) of a low shelf, a high shelf and up to three peaks, sized over broad tone."""
    found = np.zeros((count, len(CENTRES_HZ)))
    for row in found:
        peaks = int(rng.integers(4))
        curves = [
            _curve("low_shelf", np.exp(rng.uniform(np.log(60.0), np.log(400.0))), rng.normal(), 0.7),
            _curve("high_shelf", np.exp(rng.uniform(np.log(1_500.0), np.log(9_000.0))), rng.normal(), 0.7),
        ]
        curves += [
            _curve(
                "peak",
                np.exp(rng.uniform(np.log(60.0), np.log(10_000.0))),
                rng.normal(),
                rng.uniform(0.4, 1.4),
            )
            for _ in range(peaks)
        ]
        row[:] = np.sum(curves, axis=0)
    return _sized(found, rms_db)


def common_errors(count: int, rms_db: float, rng: np.random.Generator) -> Float64s:
    """Dull (less treble) for half of the songs, boomy (a broad bump around 120 Hz) for the others."""
    found = np.zeros((count, len(CENTRES_HZ)))
    for index, row in enumerate(found):
        if index % 2:
            row[:] = _curve("high_shelf", np.exp(rng.uniform(np.log(2_000.0), np.log(6_000.0))), -1.0, 0.6)
        else:
            row[:] = _curve(
                "peak", np.exp(rng.uniform(np.log(80.0), np.log(200.0))), 1.0, rng.uniform(0.5, 0.9)
            )
    return _sized(found, rms_db)


def opposite_errors(count: int, rms_db: float, rng: np.random.Generator) -> Float64s:
    """Bright for half of the songs, thin for the others: the common errors upside down.

    Errors of one sign reward a prediction that is wrong in the other direction; both signs together don't.
    """
    return -common_errors(count, rms_db, rng)


def sharper_errors(count: int, rms_db: float, _: np.random.Generator) -> Float64s:
    """Those of experiments/mistakes_undone, drawn for other names: steeper shelves and narrower peaks."""
    return np.stack([curve_db(draw(Condition("random", rms_db), "again", i)) for i in range(count)])


def _curve(kind: str, at_hz: float, size: float, q: float) -> Float64s:
    """Response of one band of 6 dB · size, in dB at the third octaves."""
    a = 10.0 ** (6.0 * size / 40.0)
    s = 1j * CENTRES_HZ / at_hz
    if kind == "peak":
        h = (s**2 + s * a / q + 1.0) / (s**2 + s / (a * q) + 1.0)
    elif kind == "low_shelf":
        h = a * (s**2 + np.sqrt(a) / q * s + a) / (a * s**2 + np.sqrt(a) / q * s + 1.0)
    else:
        h = a * (a * s**2 + np.sqrt(a) / q * s + 1.0) / (s**2 + np.sqrt(a) / q * s + a)
    return np.asarray(20.0 * np.log10(np.abs(h)))


def _sized(curves: Float64s, rms_db: float) -> Float64s:
    centred = curves - curves[:, BROAD].mean(axis=1, keepdims=True)
    size = np.sqrt((centred[:, BROAD] ** 2).mean(axis=1, keepdims=True))
    return centred * (rms_db / np.maximum(size, 1e-9))


def posterior(predicted: Sequence[Gaussian], prior: Float64s) -> Follow:
    """The curve of a prediction for each song under errors N(0, P)."""

    def follow(spectrum: Float64s, known: Bools, song: int) -> Float64s:
        target = predicted[song]
        mean = target.mean - np.where(known, spectrum, target.mean)
        return combine(prior, [Gaussian(mean, target.covariance, known & target.known)], LEVEL_DB).mean

    return follow


def corridor(values: Float64s) -> Follow:
    """Move what lies outside of the 10–90 % range of all songs to its edge."""
    low, high = np.nanquantile(values, [0.1, 0.9], axis=0)

    def follow(spectrum: Float64s, known: Bools, song: int) -> Float64s:
        shape = spectrum - spectrum[known & BROAD].mean()
        return np.where(known, np.clip(shape, low, high) - shape, 0.0)

    return follow


def score(
    levels_db: Float64s, filled: Bools, errors: Float64s, package: NDArray[np.str_], follow: Follow
) -> Score:
    """Add an error to each song, follow, and measure what is left."""
    before, after = np.zeros(len(levels_db)), np.zeros(len(levels_db))
    for song, (level, known, error) in enumerate(zip(levels_db, filled, errors, strict=True)):
        curve = follow(level + error, known, song)
        used = known & BROAD
        before[song] = np.var(error[used])
        after[song] = np.var((error + curve)[used])
    return Score(before, after, package)


def moved_db(levels_db: Float64s, filled: Bools, follow: Follow) -> Float64s:
    """(song,) RMS of the curve that a finished song gets."""
    found = np.zeros(len(levels_db))
    for song, (level, known) in enumerate(zip(levels_db, filled, strict=True)):
        found[song] = np.std(follow(level, known, song)[known & BROAD])
    return found
