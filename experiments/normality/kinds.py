"""Labels of songs by title and package (nobody listened), and a classifier of them on content features.

Packages whose songs are of many kinds are labelled by title where a title says it, else left out. "classical" is
all orchestral and acoustic music, folk included: kinds that only one large package has (folk, pop) can't be told
from that package's sound, and nothing could be measured on other packages.
"""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

import numpy as np
import scipy.optimize
import scipy.special
from numpy.typing import NDArray

from experiments.normality.regression import folds_of
from experiments.normality.songs import Songs
from neural_mastering.normality.kinds import KindModel

Float64s = NDArray[np.float64]

LABELS: tuple[tuple[str, str, str], ...] = (
    ("0ad-data", "*", "classical"),
    ("flare-game", "*", "classical"),
    ("megaglest-data", "*", "classical"),
    ("lordsawar-data", "*", "classical"),
    ("renpy-demo", "sunflower-slow-drag", "classical"),  # a ragtime by Joplin, on a piano
    ("berusky2-data", "Piano*", "classical"),
    ("naev-data", "pirates_orchestra", "classical"),
    ("naev-data", "ambi*", "electronic"),
    ("naev-data", "automat", "electronic"),
    ("naev-data", "machina", "electronic"),
    ("naev-data", "cosmostation", "electronic"),
    ("naev-data", "terminal", "electronic"),
    ("naev-data", "collective*", "electronic"),
    ("naev-data", "heartofmachine", "electronic"),
    ("naev-data", "empire*", "classical"),
    ("singularity-music", "*", "electronic"),
    ("noiz2sa-data", "*", "electronic"),
    ("colobot-common-sounds", "*", "electronic"),
    ("pax-britannica-data", "*", "electronic"),
    ("berusky2-data", "Trip*", "electronic"),
    ("berusky2-data", "Space*", "electronic"),
    ("redeclipse-data", "*", "electronic"),
    ("ufoai-music", "Marine*", "rock"),
    ("ufoai-music", "van_*", "electronic"),
    ("ufoai-music", "Crystan-*", "electronic"),
    ("ufoai-music", "Psymong*", "electronic"),
    ("fretsonfire-songs-muldjord", "*", "rock"),
    ("supertuxkart-data", "Battle_Theme_1", "rock"),
    ("supertuxkart-data", "kart_grand_prix", "rock"),
    ("hex-a-hop-data", "*", "electronic"),
    ("wesnoth-1.16-music", "*", "classical"),
    ("nexuiz-music", "*", "electronic"),
    ("davegnukem-data", "*Techno*", "electronic"),
    ("davegnukem-data", "8-Bit*", "electronic"),
    ("trackballs-data", "c64revival", "electronic"),
    ("pushover-data", "electro", "electronic"),
    ("warmux-data", "Olivier_Militon.-.Like_a_rock", "rock"),
    ("warmux-data", "Divertissement_pour_flute", "classical"),
    ("hedgewars-data", "Rock", "rock"),
    ("hedgewars-data", "hell", "rock"),
)


def label_of(package: str, name: str) -> str:
    """The kind that the first matching row gives; empty for none."""
    return next((kind for p, n, kind in LABELS if p == package and fnmatch(name, n)), "")


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
