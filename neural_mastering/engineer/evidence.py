"""How well each mixture of kernels explains a number: the marginal likelihood of a Gaussian process, many at once.

    log p(y | k, η) = −½ log|C| − ½(n − 1)·log(yᵀC⁻¹y) + constant,  C = (1 − η)·k + η·I

on contrasts, with the mean flat and s² under its Jeffreys prior (Rasmussen, Williams, "Gaussian Processes for
Machine Learning", 2006, sections 2.7 and 5.4.1). The kernel of one trait is zzᵀ. A mixture is a few of these and at
most one general kernel B = VΛVᵀ, whose eigenvectors are found once; with D = (1 − η)·share·Λ + η and U the columns
√((1 − η)·shareᵢ)·Vᵀzᵢ,

    log|C| = log|D| + log|I + UᵀD⁻¹U|,   yᵀC⁻¹y = yᵀD⁻¹y − bᵀ(I + UᵀD⁻¹U)⁻¹b,  b = UᵀD⁻¹y

(Woodbury), so that a mixture costs a matrix of as many rows as it has traits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Float64s = NDArray[np.float64]

NOISE_SHARES: Float64s = np.array([0.03, 0.1, 0.25, 0.45, 0.7, 0.92])
"""η on the grid. The last one stands for songs of which nothing can be said but the mean."""


@dataclass(frozen=True)
class Mixture:
    """A kernel k = Σ share · k_index."""

    indices: tuple[int, ...]
    shares: tuple[float, ...]


def contrasts(count: int) -> Float64s:
    """(count, count − 1) orthonormal, each column of mean 0."""
    basis = np.linalg.qr(np.column_stack([np.ones(count), np.eye(count)[:, 1:]]))[0]
    return basis[:, 1:]


class MixtureEvidence:
    """Of one number.

    Args:
        values: (song,) y.
        kernels: (kernel, song, song), the first `sparse` ones of rank one: products of one trait's values.
        sparse: how many of them.
    """

    def __init__(self, values: Float64s, kernels: Float64s, sparse: int) -> None:
        basis = contrasts(len(values))
        self._sparse = sparse
        self._values = basis.T @ values
        self._general = basis.T @ kernels[sparse:] @ basis
        diagonal = np.einsum("kii->ki", kernels[:sparse])
        largest = diagonal.argmax(axis=1)
        size = np.sqrt(np.maximum(diagonal[np.arange(sparse), largest], 1e-300))
        self._traits = basis.T @ (kernels[np.arange(sparse), :, largest] / size[:, None]).T

    def of(self, mixtures: Sequence[Mixture]) -> Float64s:
        """(mixture, noise) log p(y | k, η) up to one constant; a mixture has at most one general kernel."""
        alike: dict[tuple[int, float, int], list[int]] = defaultdict(list)
        split = [self._split(mixture) for mixture in mixtures]
        for i, (general, share, traits, _) in enumerate(split):
            alike[general, share, len(traits)].append(i)
        found = np.empty((len(mixtures), len(NOISE_SHARES)))
        for (general, share, rank), places in alike.items():
            indices = np.array([split[i][2] for i in places], dtype=int).reshape(len(places), rank)
            shares = np.array([split[i][3] for i in places]).reshape(len(places), rank)
            found[places] = self._alike(general, share, indices, shares)
        return found

    def _split(self, mixture: Mixture) -> tuple[int, float, list[int], list[float]]:
        """General kernel or −1, its share, traits, their shares."""
        general, general_share = -1, 0.0
        traits, shares = [], []
        for index, share in zip(mixture.indices, mixture.shares, strict=True):
            if index < self._sparse:
                traits.append(index)
                shares.append(share)
            else:
                general, general_share = index - self._sparse, share
        return general, general_share, traits, shares

    def _alike(self, general: int, share: float, indices: NDArray[np.int_], shares: Float64s) -> Float64s:
        roots, traits, values = self._rotated[general]
        count, rank = len(values), indices.shape[1]
        found = np.empty((len(indices), len(NOISE_SHARES)))
        for column, eta in enumerate(NOISE_SHARES):
            scale = (1.0 - eta) * share * roots + eta
            weighted = traits / scale[:, None]
            gram, shared = traits.T @ weighted, weighted.T @ values
            size = np.sqrt((1.0 - eta) * shares)
            inner = np.eye(rank) + gram[indices[:, :, None], indices[:, None]] * (
                size[:, :, None] * size[:, None]
            )
            seen = (size * shared[indices])[..., None]
            taken = (seen * np.linalg.solve(inner, seen)).sum(axis=(1, 2))
            left = np.maximum(float(values @ (values / scale)) - taken, 1e-300)
            determinant = np.log(scale).sum() + np.linalg.slogdet(inner)[1]
            found[:, column] = -0.5 * determinant - 0.5 * count * np.log(left)
        return found

    @cached_property
    def _rotated(self) -> dict[int, tuple[Float64s, Float64s, Float64s]]:
        """Λ, Vᵀz of each trait, Vᵀy of each general kernel; −1 is none."""
        found = {-1: (np.zeros(len(self._values)), self._traits, self._values)}
        for i, kernel in enumerate(self._general):
            roots, vectors = np.linalg.eigh(kernel)
            found[i] = (np.maximum(roots, 0.0), vectors.T @ self._traits, vectors.T @ self._values)
        return found
