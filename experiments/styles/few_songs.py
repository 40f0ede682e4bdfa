"""How many songs is the general covariance worth beside those of a style?

python -m experiments.styles.few_songs MUSIC_FOLDER [--measured FILE]

Songs of one package stand for a style. A style is learned from a few of them and the rest is scored: the mean
negative log-likelihood of a song's levels (shape alone), with the covariance (1 + 1/n)·Σ of the prediction. The
general covariance is learned without the package.
"""

import numpy as np

from experiments.common.command_line import parser_of
from experiments.styles.measured_songs import Work, held_out_in_turn, training_works
from neural_mastering.styles.robust import plain_covariance, robust_fit

COUNTS = (1, 3, 5, 10, 20)
PRIORS = (5.0, 10.0, 20.0, 40.0, 80.0, 1e6)
DRAWS = 10
LARGE = 12
"""Songs of a package that can stand for a style."""


def main() -> None:
    works = training_works(parser_of(__doc__))
    large = [held for held in held_out_in_turn(works) if len(held.own) >= LARGE]
    print(f"{len(large)} packages of {LARGE} songs or more")
    print("| songs | " + " | ".join("general only" if k > 1e5 else f"k = {k:g}" for k in PRIORS) + " |")
    print("|--:|" + "--:|" * len(PRIORS))
    scores: dict[int, list[np.ndarray]] = {count: [] for count in COUNTS}
    for held in large:
        general = robust_fit(_values(held.others), plain_covariance(), np.array(held.shares)).covariance
        for count in (c for c in COUNTS if c <= len(held.own) - 6):
            scores[count].append(
                np.mean([_scores(held.own, general, count, seed) for seed in range(DRAWS)], axis=0)
            )
    for count, rows in scores.items():
        best = np.mean(rows, axis=0)
        print(f"| {count} | " + " | ".join(f"{value:.2f}" for value in best) + " |")


def _values(works: list[Work]) -> np.ndarray:
    return np.stack([np.where(work.song.filled, work.song.levels_db, np.nan) for work in works])


def _scores(own: list[Work], general: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Negative log-likelihood a song of what was not learned from, for each prior."""
    order = np.random.default_rng(seed).permutation(len(own))
    values = _values([own[i] for i in order])
    learned, rest = values[:count], values[count:]
    found = []
    for prior in PRIORS:
        fit = robust_fit(learned, general, prior_songs=prior)
        found.append(
            np.mean([_surprise(song, fit.mean, fit.covariance * (1.0 + 1.0 / count)) for song in rest])
        )
    return np.array(found)


def _surprise(song: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """Per band, in nats; a common offset of 10 dB is nobody's fault."""
    has = np.isfinite(song)
    apart = (song - mean)[has]
    wide = covariance[np.ix_(has, has)] + 100.0
    _, size = np.linalg.slogdet(wide)
    return float((apart @ np.linalg.solve(wide, apart) + size) / (2.0 * has.sum()))


if __name__ == "__main__":
    main()
