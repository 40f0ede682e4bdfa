"""What a way leaves of mistakes that are added to songs' spectra, several for each song."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.common.mistakes import Condition, curve_db, draw
from experiments.common.normal_tone.measured_songs import Songs
from experiments.common.normal_tone.posterior_curve import Follow, scale_mixture
from experiments.common.scores import removed, removed_interval, share_worse
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.soft_limit import soft_limited
from neural_mastering.dsp.third_octaves import BROAD, Float64s
from neural_mastering.styles.intensity import error_covariance
from neural_mastering.styles.move import LARGEST_DB

TESTS = 4_000
Line = dict[str, str]


class Left:
    """RMS of mistakes before, and of what a way leaves of them, (song, draw) in dB; packages (song,)."""

    def __init__(self, before_db: Float64s, after_db: Float64s, package: Sequence[str]) -> None:
        self.before_db, self.after_db, self.package = before_db, after_db, tuple(package)

    def of(self, chosen: np.ndarray) -> Left:
        """Some songs."""
        names = [self.package[i] for i in np.flatnonzero(chosen)]
        return Left(self.before_db[chosen], self.after_db[chosen], names)

    def cells(self, other: Left | None = None) -> Line:
        """Energy removed with its interval over packages, songs made worse; the lead over another way."""
        before, after = self.before_db.ravel(), self.after_db.ravel()
        packages = np.repeat(self.package, self.before_db.shape[1]).tolist()
        low, high = removed_interval(before, after, packages)
        cells = {
            "songs": str(len(self.package)),
            "removed": f"{100.0 * removed(before, after):.1f} % [{100.0 * low:.1f}, {100.0 * high:.1f}]",
            "worse": f"{100.0 * share_worse(before, after):.0f} %",
        }
        if other is not None:
            low, high = removed_interval(before, after, packages, other.after_db.ravel())
            gain = removed(before, after) - removed(before, other.after_db.ravel())
            cells["lead"] = f"{100.0 * gain:+.1f} [{100.0 * low:+.1f}, {100.0 * high:+.1f}]"
        return cells

    def single_tests(self, count: int = TESTS) -> tuple[Float64s, Float64s]:
        """Energy removed and songs made worse in tests of one mistake a song, each drawn from those measured."""
        songs, draws = self.before_db.shape
        pick = np.random.default_rng(0).integers(draws, size=(count, songs))
        before, after = (values[np.arange(songs), pick] for values in (self.before_db, self.after_db))
        found = 1.0 - (after**2).sum(axis=1) / (before**2).sum(axis=1)
        return found, np.array([share_worse(*each) for each in zip(before, after, strict=True)])


def mistakes_of(songs: Songs, condition: Condition, seed: int, draws: int) -> Float64s:
    """(song, draw, third) curves; the first is the mistake of the main study."""
    return np.stack(
        [
            [
                curve_db(draw(condition, seed, package, name, *((f"draw {i}",) if i else ())))
                for i in range(draws)
            ]
            for package, name in zip(songs.package.tolist(), songs.name.tolist(), strict=True)
        ]
    )


def engine(statements: Sequence[Gaussian], intensity_db: float) -> Follow:
    """The curve of `styles.move`, less than 6 dB."""
    follow = scale_mixture(statements, error_covariance(intensity_db))

    def limited(spectrum: Float64s, known: np.ndarray, song: int) -> Float64s:
        curve = follow(spectrum, known, song)
        return soft_limited(curve - curve[known & BROAD].mean(), LARGEST_DB)

    return limited


def left(songs: Songs, errors: Float64s, follow: Follow) -> Left:
    """What a way leaves of the errors (song, draw, third) on the songs' spectra."""
    before, after = np.zeros(errors.shape[:2]), np.zeros(errors.shape[:2])
    for song, (level, known) in enumerate(zip(songs.levels_db, songs.filled, strict=True)):
        used = known & BROAD
        for i, error in enumerate(errors[song]):
            curve = follow(level + error, known, song)
            before[song, i], after[song, i] = error[used].std(), (error + curve)[used].std()
    return Left(before, after, songs.package.tolist())
