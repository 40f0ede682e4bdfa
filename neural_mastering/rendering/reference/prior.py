"""How far a song should follow a reference: a Gaussian estimate of what is wrong with the song.

In third octaves, with levels less loudness:

    reference − song = wanted + √κ·difference + detail + offset

- *wanted* is what an equaliser should do: a smooth curve of a few dB. Covariance σ²·exp(−(Δ/λ)²/2), Δ in bands. σ
  falls with κ: the more unlike the reference, the less a move that it asks for is believed.
- *difference* is what sets two finished songs apart: the spread of music spectra, 5 to 20 dB and jagged. κ says how
  much of it there is: 0 for a master of the song itself, 1 for any other song; it is unknown, and the data choose
  among `SCALES` by their likelihood. What gives them away is the fine structure: it cancels only for the same song.
- *detail* is what else differs between two versions of one song; *offset* is level, which says nothing about tone.

The estimate is the posterior mean of *wanted*. With a song's own master it follows nearly all of the difference; a
foreign song is not followed at all. The numbers come from experiments/reference_matching (its tuning songs).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.profile import Profile

Float64s = NDArray[np.float64]

SCALES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
WANTED_DB = (7.0, 5.0, 3.0, 0.0, 0.0, 0.0)
"""σ for each of `SCALES`; another song says nothing about what is wrong with this one."""

WANTED_BANDS = 3.0
SPREAD_BANDS = 4.0
DETAIL_DB = 0.6
OFFSET_DB = 10.0
MOST_DB = 36.0
"""Differences count up to this: a band with more is empty in one of the songs."""

SPREAD_DB: Float64s = np.interp(
    np.log(CENTRES_HZ),
    np.log([25.0, 40.0, 63.0, 100.0, 200.0, 400.0, 1_000.0, 2_500.0, 6_300.0, 16_000.0]),
    [17.0, 17.0, 13.0, 9.0, 5.5, 6.0, 7.0, 8.0, 12.0, 18.0],
)
"""Standard deviation of the difference between two songs in each third octave."""


@dataclass(frozen=True)
class Estimate:
    """What an equaliser should do.

    Attributes:
        curve_db: (third,), its mean over the filled bands 0.
        followed: share of the difference that is followed, 0 to 1 (of mean squares).
        likeness: probability of each of `SCALES`, (scale,).
    """

    curve_db: Float64s
    followed: float
    likeness: Float64s


def estimate(song: Profile, reference: Profile, spread: float = 1.0) -> Estimate:
    """Posterior mean of what is wanted.

    Args:
        song, reference: usable profiles.
        spread: factor of the variance of the difference; below 1 for the mean of several references.
    """
    difference_db, filled = difference(song, reference)
    kept = np.flatnonzero(filled)
    d = difference_db[kept]
    index = np.ix_(kept, kept)
    log_likelihood, curves = np.empty(len(SCALES)), []
    for i, (wanted, rest) in enumerate(covariances(spread)):
        total = (wanted + rest)[index]
        solved = np.linalg.solve(total, d)
        log_likelihood[i] = -0.5 * (d @ solved + np.linalg.slogdet(total)[1])
        curves.append(wanted[:, kept] @ solved)
    likeness = np.exp(log_likelihood - log_likelihood.max())
    likeness /= likeness.sum()
    curve = likeness @ np.stack(curves)
    curve = curve - curve[kept].mean()
    power = float((d**2).mean())
    followed = float(np.clip(curve[kept] @ d / len(kept) / power, 0.0, 1.0)) if power > 1e-6 else 1.0
    return Estimate(curve, followed, likeness)


def difference(song: Profile, reference: Profile) -> tuple[Float64s, NDArray[np.bool_]]:
    """Reference less song in dB with mean 0 over the bands that both fill, and these bands."""
    filled = song.filled & reference.filled
    raw = reference.levels_db - song.levels_db
    centred = np.where(filled, raw - np.median(raw[filled]), 0.0)
    limited = np.clip(centred, -MOST_DB, MOST_DB)
    return np.where(filled, limited - limited[filled].mean(), 0.0), filled


def covariances(spread: float = 1.0) -> list[tuple[Float64s, Float64s]]:
    """For each scale the covariance of what is wanted and that of the rest, (third, third)."""
    band = np.arange(len(CENTRES_HZ))
    lag = band[:, None] - band[None, :]
    smooth = np.exp(-0.5 * (lag / WANTED_BANDS) ** 2)
    song = np.outer(SPREAD_DB, SPREAD_DB) * np.exp(-np.abs(lag) / SPREAD_BANDS) * spread
    # The lowest bands hold few cycles, so two versions of a song agree less there.
    detail = np.diag(DETAIL_DB**2 * (1.0 + 40.0 / CENTRES_HZ) ** 2)
    return [
        (sigma**2 * smooth, scale * song + detail + OFFSET_DB**2)
        for scale, sigma in zip(SCALES, WANTED_DB, strict=True)
    ]
