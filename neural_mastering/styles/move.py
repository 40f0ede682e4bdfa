"""The curve that an equaliser should follow, from everything that is said about it, each part kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.gaussian import Gaussian, combine
from neural_mastering.dsp.scale_mixture import observed_covariance
from neural_mastering.dsp.soft_limit import soft_limited
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, Float64s
from neural_mastering.metering.profile import Profile
from neural_mastering.styles.intensity import error_covariance

OFFSET_DB = 30.0
"""Level says nothing about tone: every statement holds up to a constant of this standard deviation."""

LARGEST_DB = 6.0
"""What no curve exceeds unless more was asked for."""


@dataclass(frozen=True)
class Expectation:
    """What finished songs of one kind measure, and how probable it is that this song is of that kind.

    Attributes:
        name: of the kind, such as "songs like this" or "rock".
        weight: probability; the weights of a mixture add up to 1.
        tone: spectrum (third,) in dB, of any offset, with its spread.
    """

    name: str
    weight: float
    tone: Gaussian


@dataclass(frozen=True)
class Wish:
    """A statement about the curve itself, such as that of a reference."""

    name: str
    curve: Gaussian


@dataclass(frozen=True)
class MovePart:
    """What one source contributes to the curve, (third,) in dB."""

    name: str
    curve_db: Float64s


@dataclass(frozen=True)
class Move:
    """A curve for the equaliser and how it came about.

    Attributes:
        curve_db: (third,) what the equaliser should do; what is added to other controls has mean 0 over the bands.
        sigma_db: (third,) how uncertain it is.
        parts: the contributions; they add up to the curve before it was limited.
        song_db: (third,) spectrum of the song, mean 0 over its bands.
        known: (third,) bands of the song.
        normal: spectrum that is expected of a finished song, mean 0 over the same bands; None without expectations.
        expectations: their names and weights.
        intensity_db: size of the errors that were assumed.
    """

    curve_db: Float64s
    sigma_db: Float64s
    parts: tuple[MovePart, ...]
    song_db: Float64s
    known: NDArray[np.bool_]
    normal: Gaussian | None = None
    expectations: tuple[tuple[str, float], ...] = ()
    intensity_db: float = 0.0

    @property
    def rms_db(self) -> float:
        """Root mean square of the curve over the bands of the song."""
        return float(np.sqrt(np.mean(self.curve_db[self.known] ** 2))) if self.known.any() else 0.0


def wanted_move(
    song: Profile,
    expectations: Sequence[Expectation] = (),
    wishes: Sequence[Wish] = (),
    intensity_db: float = 2.0,
    base_db: Float64s | None = None,
    largest_db: float = LARGEST_DB,
) -> Move:
    """The posterior mean of the curve c, given a song's spectrum x.

        c ~ N(b, P(intensity))            an error of the mix, undone; b is what is done anyway
        x + c ~ N(μₖ, Σₖ) with weight wₖ   what finished songs of a kind measure, with a sharper core and heavier
                                           tails (`dsp.scale_mixture`)
        c ~ N(mⱼ, Sⱼ)                     what was wished for directly

    All of it up to a constant, since level is not tone. The mixture over kinds k is averaged by its weights.

    Args:
        song: its profile, usable.
        expectations: the mixture; none leaves the spectrum free.
        wishes: statements about the curve.
        intensity_db: root mean square of the errors that are assumed, in dB; at 0 nothing moves but by `base_db`.
        base_db: (third,) curve that other controls apply anyway; it is part of the result.
        largest_db: soft limit of what is added to `base_db`.
    """
    known = song.filled
    base = np.zeros(len(CENTRES_HZ)) if base_db is None else base_db
    at = _centre(song.levels_db, known)
    flat = Move(base, np.zeros(len(base)), (), at, known)
    if intensity_db <= 0.0 or not (expectations or wishes) or not song.is_usable:
        return flat
    prior = error_covariance(intensity_db)
    wished = [_shifted(wish.curve, -base, known) for wish in wishes]
    mixture = list(expectations) or [None]
    curves, covariances, parts = [], [], []
    for kind in mixture:
        own = []
        if kind is not None:
            own = [_seen(_shifted(kind.tone, -(song.levels_db + base), known), prior)]
        found = combine(prior, [*own, *wished], OFFSET_DB)
        parts.append(found.parts)
        curves.append(found.mean)
        covariances.append(found.covariance)
    weights = np.array([1.0 if kind is None else kind.weight for kind in mixture])
    weights = weights / weights.sum()
    curve = weights @ np.stack(curves)
    covariance = np.einsum("k,kij->ij", weights, np.stack(covariances))
    spread = np.stack(curves) - curve
    covariance = covariance + np.einsum("k,ki,kj->ij", weights, spread, spread)
    centring = _centring(known)
    curve = _tapered(curve, known)
    return replace(
        flat,
        curve_db=flat.curve_db + soft_limited(_centre(curve, known), largest_db),
        sigma_db=np.sqrt(np.maximum(np.diag(centring @ covariance @ centring.T), 0.0)),
        parts=_named_parts(parts, weights, expectations, wishes, known),
        normal=_mixed(expectations, known) if expectations else None,
        expectations=tuple((kind.name, kind.weight) for kind in expectations),
        intensity_db=intensity_db,
    )


def _centre(levels_db: Float64s, known: NDArray[np.bool_]) -> Float64s:
    return _centring(known) @ levels_db


def _centring(known: NDArray[np.bool_]) -> Float64s:
    """Takes the mean over the broad bands that are known from all bands."""
    used = BROAD & known if (BROAD & known).any() else known
    share = used / max(int(used.sum()), 1)
    return np.eye(len(known)) - np.outer(np.ones(len(known)), share)


def _tapered(curve: Float64s, known: NDArray[np.bool_]) -> Float64s:
    """Bands without sound keep the value of the last band with sound: nothing is asked for where nothing is."""
    held = np.flatnonzero(known)
    return np.interp(np.arange(len(curve)), held, curve[held])


def _shifted(statement: Gaussian, by: Float64s, known: NDArray[np.bool_]) -> Gaussian:
    return Gaussian(statement.mean + by, statement.covariance, statement.known & known)


def _seen(statement: Gaussian, prior: Float64s) -> Gaussian:
    """The spread as it is for this song: wider where the song is unlike what is expected, narrower elsewhere."""
    kept = np.flatnonzero(statement.known)
    if not kept.size:
        return statement
    index = np.ix_(kept, kept)
    covariance = statement.covariance.copy()
    covariance[index] = observed_covariance(statement.mean[kept], covariance[index], prior[index], OFFSET_DB)
    return Gaussian(statement.mean, covariance, statement.known)


def _named_parts(
    parts: Sequence[Float64s],
    weights: Float64s,
    expectations: Sequence[Expectation],
    wishes: Sequence[Wish],
    known: NDArray[np.bool_],
) -> tuple[MovePart, ...]:
    found = []
    first = 1 if expectations else 0
    for kind, weight, part in zip(expectations, weights, parts, strict=False):
        found.append(MovePart(kind.name, weight * _centre(_tapered(part[0], known), known)))
    for i, wish in enumerate(wishes):
        mean = sum(
            (w * part[first + i] for w, part in zip(weights, parts, strict=True)), np.zeros(len(known))
        )
        found.append(MovePart(wish.name, _centre(_tapered(mean, known), known)))
    return tuple(found)


def _mixed(expectations: Sequence[Expectation], known: NDArray[np.bool_]) -> Gaussian:
    """Mean and covariance of the mixture, each kind with mean 0 over the known bands."""
    centring = _centring(known)
    total = sum(kind.weight for kind in expectations)
    means = [centring @ kind.tone.mean for kind in expectations]
    shares = [kind.weight / total for kind in expectations]
    mean = sum((share * m for share, m in zip(shares, means, strict=True)), np.zeros(len(known)))
    covariance = np.zeros((len(known), len(known)))
    for share, m, kind in zip(shares, means, expectations, strict=True):
        covariance += share * (centring @ kind.tone.covariance @ centring.T + np.outer(m - mean, m - mean))
    spoken = np.all([kind.tone.known for kind in expectations], axis=0)
    return Gaussian(mean, covariance, known & spoken)
