"""One number of a master as a function of the song: Gaussian processes, averaged by their evidence.

    y(x) = m + f(x) + ε,  f ~ GP(0, s²·(1 − η)·k),  ε ~ N(0, s²·η)

with m free, k = Σ πⱼ·kⱼ one of many mixtures of kernels (a product of one trait's values; of another's; nearness in
content), and η the share of what is no function of the song. m and s² are integrated out; each (k, η) on the grid
counts with its evidence times a prior that asks for good reasons for each trait (Rasmussen, Williams, "Gaussian
Processes for Machine Learning", 2006, sections 2.7 and 5.4.1; Hoeting et al., "Bayesian model averaging", 1999).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from neural_mastering.engineer.evidence import NOISE_SHARES, Float64s, Mixture, MixtureEvidence, contrasts

LEAST_WEIGHT = 0.005
"""Mixtures with less than this share of the probability are left out of predictions."""

TEMPER = 0.2
"""Power of the evidence in the weights of numbers that have no very counterpart in the mix. The true trait is then
not on the list, only some that go with it: the average of these is nearer to it than the one that happens to fit
best, which is all that the full evidence would leave."""

SCREENS = (0.3, 1.0)
"""Mixtures of all traits at once, each with its evidence to this power as its share."""

SCREEN_PRICE = -3.0
"""Log prior of such a mixture."""


MOST_TRAITS = 4
"""In one mixture that is not of all of them."""

LEAST_SHARE = 0.02
LEAST_FOR_TWO = 8
"""Songs below which no two traits are tried together."""

EXPECTED_TRAITS = 1.5
"""How many of the traits a number depends on, before anything is seen."""


@dataclass(frozen=True)
class ScoreModel:
    """What was learned about one number.

    Attributes:
        mixtures: kernels that count, with their noise share η and their probability.
        noise: (mixture,) η.
        weight: (mixture,) probabilities; they add up to 1.
        values: (song,) y of the known songs.
        size: (mixture,) s².
    """

    mixtures: tuple[Mixture, ...]
    noise: Float64s
    weight: Float64s
    values: Float64s
    size: Float64s


def mixed(kernels: Float64s, mixtures: Sequence[Mixture]) -> Float64s:
    """(mixture, song, song) from kernels (kernel, song, song)."""
    return np.stack(
        [
            sum(
                (share * kernels[i] for i, share in zip(m.indices, m.shares, strict=True)),
                np.zeros(kernels.shape[1:]),
            )
            for m in mixtures
        ]
    )


def _of_one(sparse: int, dense: Sequence[int]) -> Iterator[Mixture]:
    for i in dense:
        yield Mixture((i,), (1.0,))
    for i in range(sparse):
        yield Mixture((i,), (1.0,))
        for j in dense:
            for share in (0.75, 0.4):
                yield Mixture((i, j), (share, 1.0 - share))


def _of_two(first: Sequence[int], sparse: int, dense: Sequence[int]) -> Iterator[Mixture]:
    seen: set[tuple[int, int]] = set()
    for i in first:
        for j in range(sparse):
            pair = (min(i, j), max(i, j))
            if i == j or pair in seen:
                continue
            seen.add(pair)
            for share in (0.25, 0.5, 0.75):
                yield Mixture(pair, (share, 1.0 - share))
            for d in dense:
                yield Mixture((*pair, d), (0.4, 0.4, 0.2))


def _grown(best: Mixture, sparse: int) -> Iterator[Mixture]:
    for j in range(sparse):
        if j not in best.indices:
            for share in (0.15, 0.35):
                yield Mixture(
                    (*best.indices, j), (*(share_ * (1.0 - share) for share_ in best.shares), share)
                )


def mean_only(values: Float64s) -> ScoreModel:
    """The number is the same for every song, but for what the engineer varies by himself."""
    size = float(values.var(ddof=1)) if len(values) > 1 else 0.0
    return ScoreModel((Mixture((), ()),), np.ones(1), np.ones(1), values, np.array([size]))


def _best_alone(tried: Sequence[Mixture], logs: Sequence[Float64s], sparse: int) -> Float64s:
    """(sparse,) log evidence of each trait alone, its best over the noise shares."""
    found = np.full(sparse, -np.inf)
    for mixture, log in zip(tried, logs, strict=True):
        if len(mixture.indices) == 1 and mixture.indices[0] < sparse:
            found[mixture.indices[0]] = log.max()
    return found


def _of_all(alone: Float64s, dense: Sequence[int]) -> Iterator[Mixture]:
    """All traits at once, by their evidence, and with each dense kernel."""
    for power in SCREENS:
        share = np.exp(power * (alone - alone.max()))
        kept = np.flatnonzero(share > LEAST_SHARE)
        share = share[kept] / share[kept].sum()
        yield Mixture(tuple(kept.tolist()), tuple(share.tolist()))
        for d in dense:
            yield Mixture((*kept.tolist(), d), (*(0.7 * share).tolist(), 0.3))


def fit_score(
    values: Float64s, kernels: Float64s, sparse: int, odds: Float64s | None = None, power: float = TEMPER
) -> ScoreModel:
    """Learn one number.

    Args:
        values: (song,) y.
        kernels: (kernel, song, song) of mean diagonal about 1; the first `sparse` ones are products of one trait's
            values.
        sparse: how many of them ask for a reason; the others are general.
        odds: (kernel,) prior odds of each trait relative to the others, 1 by default.
        power: of the evidence in the weights.
    """
    count = len(values)
    evidence = MixtureEvidence(values, kernels, sparse)
    dense = list(range(sparse, len(kernels)))
    odds = np.ones(sparse) if odds is None else odds[:sparse]
    price = np.log(np.maximum(EXPECTED_TRAITS * odds / max(odds.sum(), 1e-9), 1e-12))

    def prior(m: Mixture) -> float:
        return float(sum(price[i] for i in m.indices if i < sparse)) - np.log(1.0 + 2.0 * len(m.indices))

    tried: list[Mixture] = []
    logs: list[Float64s] = []

    def judge(mixtures: Sequence[Mixture], price: float | None = None) -> None:
        if not mixtures:
            return
        found = evidence.of(mixtures)
        tried.extend(mixtures)
        logs.extend(found[i] + (prior(m) if price is None else price) for i, m in enumerate(mixtures))

    judge([*_of_one(sparse, dense)])
    if count >= LEAST_FOR_TWO:
        judge([*_of_all(_best_alone(tried, logs, sparse), dense)], SCREEN_PRICE)
        order = np.argsort([-log.max() for log in logs])
        first: list[int] = []
        for o in order:
            lead = tried[o].indices[0]
            if len(tried[o].indices) > 2:
                continue
            if lead < sparse and lead not in first:
                first.append(lead)
            if len(first) == 4:
                break
        judge([*_of_two(first, sparse, dense)])
        for _ in range(2, MOST_TRAITS):
            best = tried[int(np.argmax([log.max() for log in logs]))]
            if not 2 <= sum(i < sparse for i in best.indices) <= MOST_TRAITS:
                break
            judge([*_grown(best, sparse)])
    table = np.stack(logs)
    table = np.exp(power * (table - table.max()))
    table /= table.sum()
    chosen = np.argwhere(table >= min(LEAST_WEIGHT, 0.5 * table.max()))
    weight = np.array([table[i, j] for i, j in chosen])
    mixtures = tuple(tried[i] for i, _ in chosen)
    noise = np.array([NOISE_SHARES[j] for _, j in chosen])
    basis = contrasts(count)
    y = basis.T @ values
    size = []
    for m, eta in zip(mixtures, noise, strict=True):
        k = mixed(kernels, [m])[0]
        c = basis.T @ ((1.0 - eta) * k + eta * np.eye(count)) @ basis
        size.append(float(y @ np.linalg.solve(c, y)) / max(count - 1, 1))
    return ScoreModel(mixtures, noise, weight / weight.sum(), values, np.array(size))


@dataclass(frozen=True)
class Predicted:
    """A number for one song: mean, variance of its mean, and variance of what the engineer varies by himself."""

    mean: float
    variance: float
    noise: float


class ScorePredictor:
    """What a model says about new songs; all that depends on the known ones is computed once.

    Args:
        model: by `fit_score`.
        kernels: (kernel, song, song) between known songs.
    """

    def __init__(self, model: ScoreModel, kernels: Float64s) -> None:
        count = len(model.values)
        self._model = model
        self._shares = np.zeros((len(model.mixtures), len(kernels)))
        for row, mixture, eta in zip(self._shares, model.mixtures, model.noise, strict=True):
            row[list(mixture.indices)] = (1.0 - eta) * np.array(mixture.shares)
        covariance = np.tensordot(self._shares, kernels, axes=1)
        covariance[:, np.arange(count), np.arange(count)] += model.noise[:, None]
        self._inverse = np.linalg.inv(covariance)
        ones = self._inverse.sum(axis=2)
        weighted = self._inverse @ model.values
        self._precision = ones.sum(axis=1)
        self._mean = weighted.sum(axis=1) / self._precision
        self._residual = weighted - self._mean[:, None] * ones

    def at(self, across: Float64s, own: Float64s) -> Predicted:
        """The number for a song.

        Args:
            across: (kernel, song) from the known songs to the new one.
            own: (kernel,) of the new song with itself.
        """
        model = self._model
        near = self._shares @ across
        solved = (self._inverse @ near[:, :, None])[:, :, 0]
        rest = 1.0 - solved.sum(axis=1)
        means = self._mean + (near * self._residual).sum(axis=1)
        left = self._shares @ own - (near * solved).sum(axis=1) + rest**2 / self._precision
        mean = float(model.weight @ means)
        spread = float(model.weight @ (means - mean) ** 2)
        variance = float(model.weight @ (model.size * np.maximum(left, 0.0))) + spread
        return Predicted(mean, variance, float(model.weight @ (model.size * model.noise)))


def predict_score(model: ScoreModel, kernels: Float64s, across: Float64s, own: Float64s) -> Predicted:
    """The number for one song, see `ScorePredictor`."""
    return ScorePredictor(model, kernels).at(across, own)


def between(average: ScoreModel, found: Predicted, trust: float) -> Predicted:
    """A prediction that holds with probability `trust`; else the number is the average (by `mean_only`).

    mean = (1 − a)·average + a·found; the variances are mixed alike, plus a·(1 − a)·(found − average)².
    """
    mean, size = float(average.values.mean()), float(average.size[0])
    apart = found.mean - mean
    doubt = 1.0 - trust
    return Predicted(
        mean + trust * apart,
        trust * found.variance + doubt * size / len(average.values) + trust * doubt * apart**2,
        trust * found.noise + doubt * size,
    )
