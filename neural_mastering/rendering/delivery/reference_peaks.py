"""Peaks as high over the loudness as a reference's: a lower level that they are brought down to.

With p the song's ratio of true peak to loudness, p_r the reference's, L the target and c the ceiling:

    asked    p_a = p₀ − share·(p₀ − p_r),   p₀ = min(p, c − L)
    peaks    c' = L + p_a

where a reference is denser than the master would be anyway. Clipper and limiter then work below c' instead of c,
within the bounds of the user: where they would stop the song short of its target, c' rises until they don't. A song
that is denser than the reference stays so.
"""

from __future__ import annotations

import math
from dataclasses import replace

from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.gain_search import GainSearch
from neural_mastering.rendering.delivery.spec import DeliverySpec
from neural_mastering.rendering.reference.decision import ReferenceDecision

SMALLEST_DB = 1.0
"""Differences up to this much are left alone, and so are peaks that can be lowered by no more."""

_STEPS = 6


def follow_peaks(
    before: LimiterForecast, spec: DeliverySpec, reference_plr_db: float, share: float
) -> DeliverySpec:
    """The spec with a ceiling that gives the master the ratio of true peak to loudness that is asked for.

    Args:
        before: readings of the song before its delivery.
        spec: what the delivery aims at.
        reference_plr_db: true peak less loudness of the reference.
        share: of the way to it, 0 to 1.
    """
    readings = before.readings
    if spec.ceiling_db is None or spec.lufs is None or not spec.limits or share <= 0.0:
        return spec
    if not (math.isfinite(readings.lufs) and math.isfinite(reference_plr_db)):
        return spec
    plr_db = min(readings.true_peak_db - readings.lufs, spec.ceiling_db - spec.lufs)
    if plr_db - reference_plr_db <= SMALLEST_DB:
        return spec
    highest_db = spec.lufs + plr_db
    lower_db = share * (plr_db - reference_plr_db)

    def lowered(by_db: float) -> DeliverySpec:
        return replace(spec, ceiling_db=highest_db - by_db, kept_db=spec.ceiling_db)

    if _stops_short(before, lowered(lower_db)):
        low, high = 0.0, lower_db
        for _ in range(_STEPS):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if _stops_short(before, lowered(middle)) else (middle, high)
        lower_db = low
    return lowered(lower_db) if lower_db > SMALLEST_DB else spec


def follow_reference_peaks(
    before: LimiterForecast, spec: DeliverySpec, decision: ReferenceDecision
) -> tuple[DeliverySpec, tuple[Note, ...]]:
    """`follow_peaks` for what references ask for, and what is worth saying of it."""
    lower = follow_peaks(before, spec, decision.reference.readings.plr_db, decision.shares.dynamics)
    if lower is spec or lower.ceiling_db is None or lower.lufs is None:
        return spec, ()
    over_db = lower.ceiling_db - lower.lufs
    text = f"peaks are kept {over_db:.1f} dB above the loudness, as the reference's are denser"
    return lower, (Note("reference_peaks", text),)


def _stops_short(before: LimiterForecast, spec: DeliverySpec) -> bool:
    return GainSearch(before, spec, 0.0).limited_by is not None
