"""Gaussian statements about one vector, and what follows from several of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64s = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussian:
    """N(mean, covariance) over the entries that are known; nothing is said about the others.

    Attributes:
        mean: (entry,).
        covariance: (entry, entry), symmetric and positive definite over the known entries.
        known: (entry,) which entries are spoken of.
    """

    mean: Float64s
    covariance: Float64s
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, mean: Float64s, covariance: Float64s, known: NDArray[np.bool_] | None = None) -> Gaussian:
        """A statement about all entries, or about some."""
        return cls(mean, covariance, np.ones(len(mean), dtype=bool) if known is None else known)

    @property
    def sigma(self) -> Float64s:
        """(entry,) standard deviations; NaN where nothing is known."""
        return np.where(self.known, np.sqrt(np.maximum(np.diag(self.covariance), 0.0)), np.nan)

    def precision(self, offset: float = 0.0) -> Float64s:
        """Inverse covariance (entry, entry), 0 at unknown entries.

        Args:
            offset: standard deviation of a constant added to all entries of which nothing is known, so that a large
                value makes the statement one about the shape alone.
        """
        kept = np.flatnonzero(self.known)
        full = np.zeros_like(self.covariance)
        if kept.size:
            index = np.ix_(kept, kept)
            full[index] = np.linalg.inv(self.covariance[index] + offset**2)
        return full


@dataclass(frozen=True)
class Combined:
    """What a prior around zero and several statements say together.

    Attributes:
        mean: (entry,) the posterior mean, the sum of `parts`.
        covariance: (entry, entry) of the posterior.
        parts: (statement, entry) what each statement contributes to the mean.
    """

    mean: Float64s
    covariance: Float64s
    parts: Float64s


def combine(prior_covariance: Float64s, statements: Sequence[Gaussian], offset: float = 0.0) -> Combined:
    """Posterior of x ~ N(0, P) given statements x ~ N(mᵢ, Sᵢ).

        Λ = P⁻¹ + Σ Sᵢ⁻¹,  E[x] = Λ⁻¹ Σ Sᵢ⁻¹ mᵢ,  Cov[x] = Λ⁻¹

    Args:
        prior_covariance: (entry, entry), positive definite.
        statements: what is said about x.
        offset: see `Gaussian.precision`.
    """
    total = np.linalg.inv(prior_covariance)
    pulls = []
    for each in statements:
        precision = each.precision(offset)
        total = total + precision
        pulls.append(precision @ np.where(each.known, each.mean, 0.0))
    covariance = np.linalg.inv(total)
    covariance = 0.5 * (covariance + covariance.T)
    parts = np.stack(pulls) @ covariance if pulls else np.zeros((0, len(prior_covariance)))
    return Combined(parts.sum(axis=0), covariance, parts)


def updated(prior: Gaussian, predicted: Gaussian, general: Gaussian, offset: float = 0.0) -> Gaussian:
    """A prior sharpened by evidence that was stated as a posterior under another, general prior.

        p(t | prior, evidence) ∝ prior(t) · predicted(t) / general(t)

    Bands that the prior does not know are left out. Where the evidence is no sharper than the general prior in some
    direction, it says nothing there.

    Args:
        prior: what holds without the evidence.
        predicted: the posterior that the evidence gave.
        general: the prior under which it gave that.
        offset: standard deviation of a constant of which none of them knows anything, see `Gaussian.precision`.
    """
    kept = np.flatnonzero(prior.known & predicted.known & general.known)
    index = np.ix_(kept, kept)
    own, given, base = (np.linalg.inv(g.covariance[index] + offset**2) for g in (prior, predicted, general))
    values, vectors = np.linalg.eigh(given - base)
    evidence = (vectors * np.maximum(values, 0.0)) @ vectors.T
    # where `given − base` has a direction, its mean is that of the evidence alone
    pull = given @ predicted.mean[kept] - base @ general.mean[kept]
    pull = vectors @ (np.where(values > 0.0, 1.0, 0.0) * (vectors.T @ pull))
    covariance = prior.covariance.copy()
    mean = prior.mean.copy()
    covariance[index] = np.linalg.inv(own + evidence)
    mean[kept] = covariance[index] @ (own @ prior.mean[kept] + pull)
    return Gaussian(mean, covariance, prior.known)
