"""How far a learned number may leave its average: by predictions for groups of songs that were not learned from.

A sure process with the wrong trait is worse than the average. What it says for each group without that group, in
closed form, tells how much of it comes true: with p the prediction and d the number, both less the mean of the
other groups, the least squares share is a = Σpd/Σp². It is believed less one of its standard errors, from the sums
of whole groups (the one-standard-error rule of Breiman et al., "Classification and Regression Trees", 1984, section
3.4.3), from 0 to 1. The traits were chosen with all groups, so the share alone is a little too good.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neural_mastering.engineer.score import Float64s, ScoreModel, mixed

LEAST_LEFT = 4
"""Songs outside a group; a group that leaves fewer is not held out."""

_TINY = 1e-12


def trust_in(
    model: ScoreModel, kernels: Float64s, groups: Sequence[str] | None = None, power: float = 1.0
) -> float:
    """The share of the song-dependent part to be believed, 0 to 1.

    Args:
        model: by `fit_score`.
        kernels: (kernel, song, song) that it was fitted with.
        groups: (song,) songs of one group are held out together; each for itself where there is one group or None.
        power: of the evidence in the model's weights.
    """
    values = model.values
    names = np.array(
        groups if groups is not None and len(set(groups)) > 1 else np.arange(len(values)), dtype=str
    )
    predicted, actual = held_out(model, kernels, names, power)
    size = float(predicted @ predicted)
    if size <= _TINY * max(float(values @ values), _TINY):
        return 1.0  # it is the average already
    share = float(predicted @ actual) / size
    left = predicted * (actual - share * predicted)
    error = np.sqrt(sum(float(left[names == name].sum()) ** 2 for name in np.unique(names))) / size
    return float(np.clip(share - error, 0.0, 1.0))


def held_out(
    model: ScoreModel, kernels: Float64s, groups: np.ndarray, power: float
) -> tuple[Float64s, Float64s]:
    """(song,) prediction for and value of each song, less the mean of the other groups; 0 where it isn't held out.

    With Q = C⁻¹ − C⁻¹11ᵀC⁻¹/(1ᵀC⁻¹1), the residual of group g without it is Q_gg⁻¹·(Qy)_g (Rasmussen, Williams
    2006, section 5.4.2, with a free mean), and what g adds to log|C| and to yᵀQy follows from Q_gg: each mixture
    counts with its evidence on the other groups.
    """
    values, count = model.values, len(model.values)
    predicted, actual = np.zeros(count), np.zeros(count)
    precisions = [
        _precision((1.0 - eta) * mixed(kernels, [m])[0] + eta * np.eye(count))
        for m, eta in zip(model.mixtures, model.noise, strict=True)
    ]
    for name in np.unique(groups):
        inside = np.flatnonzero(groups == name)
        left = count - len(inside)
        if left < LEAST_LEFT:
            continue
        residuals, logs = [], []
        for precision in precisions:
            weighted, own = precision @ values, precision[np.ix_(inside, inside)]
            residual = np.linalg.solve(own, weighted[inside])
            whole = max(float(values @ weighted), _TINY)
            rest = max(whole - float(weighted[inside] @ residual), _TINY)
            residuals.append(residual)
            logs.append(
                -0.5 * np.linalg.slogdet(own)[1]
                - 0.5 * (left - 1) * np.log(rest)
                + 0.5 * (count - 1) * np.log(whole)
            )
        weight = np.log(np.maximum(model.weight, _TINY)) + power * np.array(logs)
        weight = np.exp(weight - weight.max())
        residual = weight @ np.stack(residuals) / weight.sum()
        mean = np.delete(values, inside).mean()
        actual[inside] = values[inside] - mean
        predicted[inside] = actual[inside] - residual
    return predicted, actual


def _precision(covariance: Float64s) -> Float64s:
    """Q of a covariance: its inverse where the mean is free."""
    inverse = np.linalg.inv(covariance)
    ones = inverse.sum(axis=1)
    return inverse - np.outer(ones, ones) / ones.sum()
