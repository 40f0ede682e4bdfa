"""How near the table's words are to what people mean: held-out contributions from the raw files."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.words.derive import mean_curve
from neural_mastering.words.fit import fit_shape
from neural_mastering.words.raw_files import Contribution
from neural_mastering.words.shape import correlation, unit_shape
from neural_mastering.words.table import Word

HALVES = 200
Key = int | tuple[str, int]


def played(rows: Sequence[Contribution]) -> Float64s:
    """What the equaliser plays for a word that these contributions define: mean, unit shape, six bands."""
    return fit_shape(unit_shape(mean_curve(rows))).level_db(CENTRES_HZ, 44_100.0)


def people_of(rows: Sequence[Contribution]) -> dict[Key, list[Contribution]]:
    """Contributions by person; one person each where the file doesn't say."""
    found: dict[Key, list[Contribution]] = defaultdict(list)
    for i, row in enumerate(rows):
        found[("row", i) if row.user is None else row.user].append(row)
    return found


def held_out(
    rows: Sequence[Contribution], others: Sequence[Contribution], rng: np.random.Generator
) -> dict[str, float]:
    """Mean correlation with each person's curves, people counting alike, of four predictors that never saw them.

    - ours: the pipeline on all other people, as the equaliser plays it;
    - half: the plain mean curve of a random half of the other people (`HALVES` draws), the human bound;
    - person: one other person, which is the agreement;
    - random: the mean of as many contributions about other words (`HALVES` draws).
    """
    people = people_of(rows)
    names = list(people)
    means = {name: np.mean([row.curve for row in people[name]], axis=0) for name in names}
    scores: dict[str, list[float]] = defaultdict(list)
    for name in names:
        rest = [other for other in names if other != name]
        own = [row.curve for row in people[name]]
        scores["ours"].append(_mean([played([r for o in rest for r in people[o]])], own))
        halves = [rng.permutation(len(rest))[: max(len(rest) // 2, 1)] for _ in range(HALVES // 8)]
        scores["half"].append(
            _mean([np.mean([means[rest[i]] for i in half], axis=0) for half in halves], own)
        )
        scores["person"].append(
            float(np.mean([_mean([row.curve for row in people[other]], own) for other in rest]))
        )
        picks = [rng.integers(len(others), size=len(rest)) for _ in range(HALVES // 8)]
        scores["random"].append(
            _mean([np.mean([others[i].curve for i in pick], axis=0) for pick in picks], own)
        )
    return {key: float(np.mean(values)) for key, values in scores.items()}


def split_half(rows: Sequence[Contribution], rng: np.random.Generator) -> float:
    """Mean correlation of the mean curves of two random halves of the people."""
    means = [np.mean([r.curve for r in own], axis=0) for own in people_of(rows).values()]
    found = []
    for _ in range(HALVES):
        order = rng.permutation(len(means))
        half = len(means) // 2
        a, b = order[:half], order[half : 2 * half]
        found.append(
            correlation(np.mean([means[i] for i in a], axis=0), np.mean([means[i] for i in b], axis=0))
        )
    return float(np.mean(found))


def two_way(
    warm: Sequence[Contribution],
    bright: Sequence[Contribution],
    rows: dict[str, Word],
    rng: np.random.Generator,
) -> list[tuple[str, float, float]]:
    """(predictor, share of rows, mean over people) of right choices between warm and bright.

    - ours, leave one person out: shapes from all other people;
    - ours from SocialEQ alone: other people, other sounds, another method;
    - half: mean curves of a random half of the other people, the human bound;
    - shuffled: shapes from other people whose labels were drawn at random, the random bound.
    """
    labelled = [(row, 1.0) for row in warm] + [(row, -1.0) for row in bright]
    people = sorted({row.user for row, _ in labelled if row.user is not None})

    def score(axis_of: Callable[[int], NDArray[np.float64]]) -> tuple[float, float]:
        right: list[list[bool]] = []
        for user in people:
            own = [(row, label) for row, label in labelled if row.user == user]
            axis = axis_of(user)
            right.append([correlation(row.curve, axis) * label > 0.0 for row, label in own])
        every = [value for values in right for value in values]
        return float(np.mean(every)), float(np.mean([np.mean(values) for values in right]))

    def ours(user: int) -> NDArray[np.float64]:
        return played([r for r in warm if r.user != user]) - played([r for r in bright if r.user != user])

    def half(user: int) -> NDArray[np.float64]:
        rest = [other for other in people if other != user]
        kept = {rest[i] for i in rng.permutation(len(rest))[: len(rest) // 2]}
        parts = [[r for r in part if r.user in kept] for part in (warm, bright)]
        if not all(parts):
            return half(user)
        first, second = (unit_shape(np.mean([r.curve for r in part], axis=0)) for part in parts)
        return first - second

    def shuffled(user: int) -> NDArray[np.float64]:
        rest = [row for row, _ in labelled if row.user != user]
        labels = rng.choice([-1.0, 1.0], size=len(rest))
        return np.sum([label * row.curve for row, label in zip(rest, labels, strict=True)], axis=0)

    social = rows["warm"].shape_db - rows["bright"].shape_db
    found = [("ours, leaving one person out", *score(ours)), ("SocialEQ's curves", *score(lambda _: social))]
    for name, axis in (("half of the other people", half), ("shuffled labels", shuffled)):
        share, mean = np.mean([score(axis) for _ in range(20)], axis=0)
        found.append((name, float(share), float(mean)))
    return found


def _mean(curves: Sequence[Float64s], own: Sequence[Float64s]) -> float:
    return float(np.mean([correlation(a, b) for a in curves for b in own]))
