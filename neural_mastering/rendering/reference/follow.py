"""References that are other songs are followed: their broad tone, to the degree asked, within limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_mastering.controls import Bands
from neural_mastering.dsp.gaussian import combine
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s, octave_smoothed
from neural_mastering.metering.profile import Profile
from neural_mastering.rendering.reference.closest_curve import closest_curve
from neural_mastering.rendering.reference.fit import fit_curve
from neural_mastering.rendering.reference.shares import limit_db
from neural_mastering.rendering.reference.statement import (
    FREEDOM_DB,
    reference_statement,
    smooth_differences,
    weights_of,
)
from neural_mastering.styles.intensity import error_covariance

GAIN_PRICE = 0.1
"""Cost of a decibel of gain, higher than for a version of the song itself: no two bands shall fight each other."""

LEAST_DB = 0.1
"""A band whose largest effect is smaller is taken out."""

_FITS = 3


@dataclass(frozen=True)
class FollowedTone:
    """How the equaliser follows references.

    Attributes:
        difference_db: (third,) smooth difference of mean reference and song, 0 where nothing is known.
        known: (third,) bands that are compared.
        wanted_db: (third,) what equaliser and other stages should do together, without limits.
        curve_db: (third,) what the equaliser was asked for.
        bands: of the equaliser.
    """

    difference_db: Float64s
    known: NDArray[np.bool_]
    wanted_db: Float64s
    curve_db: Float64s
    bands: Bands


def follow_tone(
    song: Profile,
    references: Sequence[tuple[Profile, float]],
    share: float,
    design_rate_hz: float = 44_100.0,
    anyway_db: Float64s | None = None,
) -> FollowedTone:
    """Fit the equaliser to the broad tone of references.

    What is asked for is that of `reference_statement` alone; `closest_curve` comes as near to it as
    `limit_db(share)` allows. What differs within an octave belongs to the arrangement and is never followed.

    Args:
        song: a usable profile.
        references: (profile, weight), weights above 0.
        share: of the way, 0 to 1.
        design_rate_hz: at which the bands will mean their curve.
        anyway_db: (third,) what other stages do to the level of each band; the equaliser does what is left.

    Raises:
        InputError: no reference, or weights that are not above 0.
    """
    smooth, known = smooth_differences(song, references)
    difference_db = np.where(known, weights_of(references) @ smooth, 0.0)
    freedom = error_covariance(FREEDOM_DB)
    wanted_db = combine(freedom, [reference_statement(song, references, share, freedom)]).mean
    left_db = wanted_db if anyway_db is None else wanted_db - octave_smoothed(anyway_db, known)
    curve_db = closest_curve(left_db, known, limit_db(share))
    bands = fit_within(curve_db, known, limit_db(share), design_rate_hz)
    return FollowedTone(difference_db, known, wanted_db, curve_db, bands)


def fit_within(
    curve_db: Float64s, known: NDArray[np.bool_], largest_db: float, design_rate_hz: float
) -> Bands:
    """Bands for a curve whose response stays within ±`largest_db` from 20 Hz to 20 kHz.

    Where the response of a fit leaves the range, between two third octaves or at the ends, the curve is lowered
    there by the excess and fitted again; what is still outside after that is taken back from all gains.

    Args:
        curve_db: (third,) within the range.
        known: (third,) bands that count fully.
        largest_db: above 0.
        design_rate_hz: at which the bands mean their curve.
    """
    at_hz = np.geomspace(20.0, min(20_000.0, 0.45 * design_rate_hz), 400)
    nearest = np.abs(np.log(at_hz[:, None] / CENTRES_HZ)).argmin(axis=1)
    asked, best, least = curve_db, Bands.of(), np.inf
    for _ in range(_FITS):
        bands = fit_curve(asked, known, design_rate_hz, GAIN_PRICE, LEAST_DB)
        if not len(bands):
            return bands
        level_db = bands.level_db(at_hz, design_rate_hz)
        reach_db = float(np.abs(level_db).max())
        bands = _within(bands, largest_db, at_hz, design_rate_hz)
        error = (bands.level_db(np.minimum(CENTRES_HZ, at_hz[-1]), design_rate_hz) - curve_db)[known]
        if (size := float((error**2).sum())) < least:
            best, least = bands, size
        if reach_db <= largest_db:
            break
        excess = level_db - level_db.clip(-largest_db, largest_db)
        asked = asked - 1.2 * np.array(
            [
                excess[nearest == i].max(initial=0.0) + excess[nearest == i].min(initial=0.0)
                for i in range(len(asked))
            ]
        )
    return best


def _within(bands: Bands, largest_db: float, at_hz: Float64s, design_rate_hz: float) -> Bands:
    """The bands with smaller gains, where their response leaves the range; bands in series are not quite linear."""
    while (reach_db := float(np.abs(bands.level_db(at_hz, design_rate_hz)).max())) > largest_db:
        bands = bands.scaled(0.99 * largest_db / reach_db).rounded((2, 3, 4))
    return bands
