"""The width of references: side against mid, followed in one band or by octaves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from neural_mastering.controls.catalogue import Values
from neural_mastering.dsp.soft_limit import soft_limited
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, Float64s
from neural_mastering.rendering.reference.dynamics import SMALLEST_WIDTH_DB, SPREAD_DB
from neural_mastering.rendering.reference.shares import limit_db
from neural_mastering.rendering.reference.width_bands import band_shares, closest_widths
from neural_mastering.reporting.markup import number
from neural_mastering.units import db_to_gain, db_to_power, power_to_db

CROSSOVERS_HZ = (100.0, 200.0, 400.0, 800.0, 1_600.0, 3_200.0, 6_400.0)
"""Where the bands of the stereo stage meet when the difference is not the same everywhere."""

NARROWEST, WIDEST = 0.25, 2.0
FEWEST_BANDS = 6
"""Third octaves with a side in both songs below which there is nothing to compare."""


def follow_width(
    song: Float64s, reference: Float64s, share: float, sample_rate: float = 44_100.0
) -> tuple[Values, str]:
    """Settings of the stereo stage that follow references, and a sentence about them; no settings leave it alone.

    The median difference of side against mid in dB, times the share, softly limited; where it is not the same
    everywhere (median distance above 1.5 dB), the widths of octaves that come closest to that share of it, from
    50 Hz to 12.5 kHz. Nothing below 100 Hz is widened.

    Args:
        song, reference: (third,) side over mid in dB, NaN where there is none.
        share: of the way, 0 to 1.
        sample_rate: of the song in Hz.
    """
    difference_db = reference - song
    compared = np.isfinite(difference_db)
    if compared.sum() < FEWEST_BANDS:
        return {}, "width was left alone: there is no side to compare"
    if share == 0.0:
        return {}, "width was left alone, as asked"
    common_db = float(np.median(difference_db[compared]))
    spread_db = float(np.median(np.abs(difference_db[compared] - common_db)))
    if spread_db <= SPREAD_DB:
        width = _width(common_db, share)
        if abs(common_db) * share < SMALLEST_WIDTH_DB:
            return {}, "the width is that of the reference"
        apart = number(common_db, signed=True)
        said = f"the reference's side is {apart} dB against ours in all bands: width {width:.2f}"
        return {"width": width, "bass_frequency_hz": 100.0, "bass_amount": 0.0}, said
    crossovers_hz = tuple(hz for hz in CROSSOVERS_HZ if hz < 0.4 * sample_rate)
    bounds = np.tile([max(NARROWEST, db_to_gain(-limit_db(share))), WIDEST], (len(crossovers_hz) + 1, 1)).T
    bounds[1, 0] = 1.0  # bass is not widened
    wanted_db = np.where(BROAD, share * difference_db, np.nan)
    widths = tuple(closest_widths(wanted_db, band_shares(np.array(crossovers_hz)), *bounds).tolist())
    edges = np.array([0.0, *crossovers_hz, np.inf])
    by_band = []
    for low_hz, high_hz in pairwise(edges):
        inside = compared & (low_hz <= CENTRES_HZ) & (high_hz > CENTRES_HZ)
        by_band.append(float(np.median(difference_db[inside])) if inside.any() else 0.0)
    listed = ", ".join(number(wanted_db, 0, signed=True) for wanted_db in by_band)
    said = f"the reference's side differs from ours octave by octave, by {listed} dB from low to high"
    return {"width": widths, "crossovers_hz": crossovers_hz}, said


def level_change_db(side_db: Float64s, values: Values) -> Float64s:
    """What settings of the stereo stage do to a song's level in each third octave, in dB.

        Δ = 10·log10((1 + w²·s)/(1 + s)),  s the power of the side over that of the mid

    Between two bands w is the mean of theirs by `band_shares`. Without settings, and where there is no side, 0.

    Args:
        side_db: (third,) side over mid in dB, NaN where there is none.
        values: of the stage, as `follow_width` gives them.
    """
    if not values:
        return np.zeros(len(side_db))
    widths = np.atleast_1d(values["width"])
    width = widths @ band_shares(np.atleast_1d(values.get("crossovers_hz", ())))
    side = np.where(np.isfinite(side_db), db_to_power(np.nan_to_num(side_db)), 0.0)
    return power_to_db((1.0 + width**2 * side) / (1.0 + side))


def _width(difference_db: float, share: float) -> float:
    moved_db = float(soft_limited(share * difference_db, limit_db(share)))
    return float(np.clip(db_to_gain(moved_db), NARROWEST, WIDEST))
