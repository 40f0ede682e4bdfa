"""A classifier of kinds of songs on content features, and the labels that it learns from."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.optimize
import scipy.special
from numpy.typing import NDArray

from experiments.common.normal_tone.measured_songs import Songs
from experiments.common.normal_tone.regression import folds_of
from experiments.common.song_kinds import label_of
from neural_mastering.normality.kinds import KindModel

Float64s = NDArray[np.float64]


def labels(songs: Songs) -> NDArray[np.str_]:
    """(song,) kinds, empty where none is known."""
    return np.array([label_of(str(p), str(n)) for p, n in zip(songs.package, songs.name, strict=True)])


def fit_kinds(
    standardised: Float64s, kind: NDArray[np.str_], package: NDArray[np.str_], decay: float = 0.03
) -> KindModel:
    """Multinomial logistic regression with weight decay; kinds count equally, packages by the root of size."""
    names = tuple(sorted(set(kind.tolist())))
    truth = np.array([[k == name for name in names] for k in kind], dtype=float)
    weights = np.array(
        [np.sum((kind == k) & (package == p)) ** -0.5 for k, p in zip(kind, package, strict=True)]
    )
    weights = weights / (truth * weights[:, None]).sum(axis=0)[truth.argmax(axis=1)] / len(names)
    count, size = len(names), standardised.shape[1]

    def loss(flat: Float64s) -> tuple[float, Float64s]:
        w, b = flat[: count * size].reshape(count, size), flat[count * size :]
        scores = standardised @ w.T + b
        scores -= scores.max(axis=1, keepdims=True)
        log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        slope = weights[:, None] * (np.exp(log_p) - truth)
        value = -(weights[:, None] * truth * log_p).sum() + 0.5 * decay * (w**2).sum()
        return float(value), np.concatenate([(slope.T @ standardised + decay * w).ravel(), slope.sum(axis=0)])

    found = scipy.optimize.minimize(loss, np.zeros(count * (size + 1)), jac=True, method="L-BFGS-B").x
    return KindModel(names, found[: count * size].reshape(count, size), found[count * size :])


def calibrated(
    standardised: Float64s, kind: NDArray[np.str_], package: NDArray[np.str_], folds: int = 6
) -> tuple[KindModel, float, float, float]:
    """A model, its temperature, and the accuracy and the log loss by leaving packages out.

    The temperature minimises the log loss of held-out packages; weights and bias are divided by it.
    """
    scores, used = [], []
    for group in folds_of(package, folds):
        held = np.isin(package, group)
        model = fit_kinds(standardised[~held], kind[~held], package[~held])
        if len(model.names) < len(set(kind.tolist())):
            continue
        scores.append(standardised[held] @ model.weights.T + model.bias)
        used.append(kind[held])
    model = fit_kinds(standardised, kind, package)
    truth = np.array([model.names.index(k) for k in np.concatenate(used)])
    stacked = np.concatenate(scores)
    balance = 1.0 / np.bincount(truth, minlength=len(model.names))[truth]

    def log_loss(temperature: float) -> float:
        log_p = stacked / temperature
        log_p = log_p - scipy.special.logsumexp(log_p, axis=1, keepdims=True)
        return float(-np.average(log_p[np.arange(len(truth)), truth], weights=balance))

    found: Any = scipy.optimize.minimize_scalar(log_loss, bounds=(0.2, 20.0), method="bounded")
    temperature = float(found.x)
    accuracy = float(np.average(stacked.argmax(axis=1) == truth, weights=balance))
    cooled = KindModel(model.names, model.weights / temperature, model.bias / temperature)
    return cooled, temperature, accuracy, log_loss(temperature)
