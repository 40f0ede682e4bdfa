"""What references say about the curve of the equaliser, as a Gaussian statement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import BROAD, Float64s, octave_smoothed
from neural_mastering.errors import InputError
from neural_mastering.metering.profile import Profile
from neural_mastering.rendering.reference.prior import MOST_DB

FREEDOM_DB = 6.0
"""Size of a wanted move against which references that disagree count as doubt."""

LOCAL_BANDS = 3.0
"""Third octaves over which a disagreement between references is felt."""

_LEAST_SHARE = 1e-4  # less than that moves nothing that could be heard
_LEAST_DOUBT = 1e-3  # of the prior's variance: keeps the statement's covariance regular at a match of 1


def reference_statement(
    song: Profile, references: Sequence[tuple[Profile, float]], match: float, prior_covariance: Float64s
) -> Gaussian:
    """What references say about the curve of the equaliser.

    With the smooth difference m of mean reference and song, the prior's covariance P, the share a and n references
    of weights w (sum 1) that scatter with covariance C around their mean:

        c ~ N(m, S),  S = P·(1 − a)/a + (v_P/v)·Σw²·C

    so that one reference alone gives a·m under the prior. Several are followed where they agree: C is tapered, so
    that it is felt where it occurs, and compared with moves of 6 dB (v), whatever the size of the prior (v_P).

    Args:
        song: that is to follow.
        references: (profile, weight), weights above 0.
        match: share of the way, 0 to 1; below 0.0001 nothing is said.
        prior_covariance: (third, third).

    Raises:
        InputError: no reference, or weights that are not above 0.
    """
    shares = weights_of(references)
    smooth, known = smooth_differences(song, references)
    mean = np.where(known, shares @ smooth, 0.0)
    if match < _LEAST_SHARE or not known.any():
        return Gaussian(mean, prior_covariance, np.zeros_like(known))
    doubt = max((1.0 - match) / match, _LEAST_DOUBT)
    size = float(np.trace(prior_covariance)) / len(prior_covariance) / FREEDOM_DB**2
    return Gaussian(mean, doubt * prior_covariance + size * _spread(smooth, shares), known)


def weights_of(references: Sequence[tuple[Profile, float]]) -> Float64s:
    """Weights of references with a sum of 1.

    Raises:
        InputError: no reference, or weights that are not above 0.
    """
    weights = np.array([weight for _, weight in references], dtype=np.float64)
    if not weights.size:
        raise InputError("no reference was given")
    if not np.all(np.isfinite(weights) & (weights > 0.0)):
        raise InputError(f"weights of references must be above 0, got {', '.join(f'{w:g}' for w in weights)}")
    return weights / weights.sum()


def smooth_differences(
    song: Profile, references: Sequence[tuple[Profile, float]]
) -> tuple[Float64s, NDArray[np.bool_]]:
    """Octave-smoothed references less song in dB, (reference, third), and the bands that are compared, (third,).

    A band is compared where the song and at least half of the references (by weight) hold sound; a reference that
    is empty there takes the others' mean. Level is left out: each has a mean of 0 over 50 Hz to 12.5 kHz.
    """
    shares = weights_of(references)
    filled = np.stack([profile.filled for profile, _ in references])
    held = shares @ filled
    known = song.filled & (held >= 0.5)
    if not known.any():
        return np.zeros((len(references), known.size)), known
    raw = np.stack([profile.levels_db - song.levels_db for profile, _ in references])
    used = known & BROAD if (known & BROAD).any() else known
    counted = filled & known
    centred = np.stack(
        [
            row - (np.median(row[own & used]) if (own & used).any() else 0.0)
            for row, own in zip(raw, counted, strict=True)
        ]
    ).clip(-MOST_DB, MOST_DB)
    mean = np.where(known, (shares @ (counted * centred)) / np.maximum(held, 1e-12), 0.0)
    smooth = np.stack([octave_smoothed(row, known) for row in np.where(counted, centred, mean)])
    return smooth - smooth[:, used].mean(axis=1, keepdims=True), known


def _spread(smooth: Float64s, shares: Float64s) -> Float64s:
    """Covariance of the mean of references that scatter, felt within a few bands."""
    if len(shares) == 1:
        return np.zeros((smooth.shape[1], smooth.shape[1]))
    concentration = float((shares**2).sum())
    apart = smooth - shares @ smooth
    covariance = (apart * shares[:, None]).T @ apart / max(1.0 - concentration, 1e-12)
    band = np.arange(smooth.shape[1])
    taper = np.exp(-0.5 * ((band[:, None] - band[None, :]) / LOCAL_BANDS) ** 2)
    return concentration * covariance * taper
