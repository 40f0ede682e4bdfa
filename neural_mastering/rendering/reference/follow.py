"""References that are other songs are followed: their broad tone, to the degree asked, within limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_mastering.controls import Bands
from neural_mastering.dsp.gaussian import combine
from neural_mastering.dsp.soft_limit import soft_limited
from neural_mastering.dsp.third_octaves import BROAD, Float64s
from neural_mastering.metering.profile import Profile
from neural_mastering.rendering.reference.fit import fit_curve
from neural_mastering.rendering.reference.shares import limit_db
from neural_mastering.rendering.reference.statement import (
    FREEDOM_DB,
    reference_statement,
    smooth_differences,
    weights_of,
)
from neural_mastering.styles.intensity import error_covariance


@dataclass(frozen=True)
class FollowedTone:
    """How the equaliser follows references.

    Attributes:
        difference_db: (third,) smooth difference of mean reference and song, 0 where nothing is known.
        known: (third,) bands that are compared.
        curve_db: (third,) what the equaliser was asked for.
        bands: of the equaliser.
    """

    difference_db: Float64s
    known: NDArray[np.bool_]
    curve_db: Float64s
    bands: Bands


def follow_tone(
    song: Profile,
    references: Sequence[tuple[Profile, float]],
    share: float,
    design_rate_hz: float = 44_100.0,
) -> FollowedTone:
    """Fit the equaliser to the broad tone of references.

    The curve is that of `reference_statement` alone, softly limited to `limit_db(share)`; so is the response of the
    bands. What differs within an octave belongs to the arrangement and is never followed.

    Args:
        song: a usable profile.
        references: (profile, weight), weights above 0.
        share: of the way, 0 to 1.
        design_rate_hz: at which the bands will mean their curve.

    Raises:
        InputError: no reference, or weights that are not above 0.
    """
    smooth, known = smooth_differences(song, references)
    difference_db = np.where(known, weights_of(references) @ smooth, 0.0)
    freedom = error_covariance(FREEDOM_DB)
    curve_db = combine(freedom, [reference_statement(song, references, share, freedom)]).mean
    used = known & BROAD
    level_db = float(curve_db[used].mean()) if used.any() else 0.0
    curve_db = soft_limited(curve_db - level_db, limit_db(share))
    bands = within(fit_curve(curve_db, known, design_rate_hz), limit_db(share), design_rate_hz)
    return FollowedTone(difference_db, known, curve_db, bands)


def within(bands: Bands, largest_db: float, design_rate_hz: float) -> Bands:
    """The bands with smaller gains, where their response would leave ±`largest_db` somewhere."""
    at_hz = np.geomspace(20.0, min(20_000.0, 0.45 * design_rate_hz), 400)
    for _ in range(8):
        reach_db = float(np.abs(bands.level_db(at_hz, design_rate_hz)).max()) if len(bands) else 0.0
        if reach_db <= largest_db:
            return bands
        bands = bands.scaled(0.999 * largest_db / reach_db).rounded((2, 3, 4))
    return bands
