"""Peaks as high over the loudness as a person or a reference asks: a level that they are brought down to.

With p the song's ratio of true peak to loudness, p_r the one asked for, L the target and c the ceiling:

    asked    p_a = p₀ − share·(p₀ − p_r),   p₀ = min(p, c − L)
    peaks    c' = L + p_a

where that is denser than the master would be anyway. Clipper and limiter then work below c' instead of c,
within the bounds of the user: where they would stop the song short of its target, c' rises until they don't. A song
that is denser stays so.
"""

from __future__ import annotations

import math
from dataclasses import replace

from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.gain_search import GainSearch
from neural_mastering.rendering.delivery.plr import PlrTarget
from neural_mastering.rendering.delivery.spec import DeliveryResult, DeliverySpec
from neural_mastering.rendering.reference.decision import ReferenceDecision

SMALLEST_DB = 1.0
"""Differences up to this much are left alone, and so are peaks that can be lowered by no more."""

_STEPS = 6
_REACHED_DB = 0.1
_DB_PER_LU = 1.5  # of the ceiling, for a target that was missed

PEAK_NOTES = ("plr", "reference_peaks")
"""Kinds of `peak_notes`."""


def chosen_plr(asked: PlrTarget | None, decision: ReferenceDecision | None) -> PlrTarget | None:
    """The ratio that is asked for, else that of references, else none.

    Args:
        asked: by a person; None leaves it to the references.
        decision: what references ask for; None without any.
    """
    if asked is not None or decision is None:
        return asked
    plr_db, share = decision.reference.readings.plr_db, decision.shares.dynamics
    return PlrTarget(plr_db, share) if math.isfinite(plr_db) and share > 0.0 else None


def follow_peaks(before: LimiterForecast, spec: DeliverySpec, plr: PlrTarget) -> DeliverySpec:
    """The spec with a ceiling that gives the master the ratio of true peak to loudness that is asked for.

    Args:
        before: readings of the song before its delivery.
        spec: what the delivery aims at.
        plr: what is asked for.
    """
    readings = before.readings
    if spec.ceiling_db is None or spec.lufs is None or not spec.limits or plr.share <= 0.0:
        return spec
    if not math.isfinite(readings.lufs):
        return spec
    own_db = min(readings.true_peak_db - readings.lufs, spec.ceiling_db - spec.lufs)
    if own_db - plr.plr_db <= SMALLEST_DB:
        return spec
    highest_db = spec.lufs + own_db
    lower_db = plr.share * (own_db - plr.plr_db)

    def lowered(by_db: float) -> DeliverySpec:
        return replace(spec, ceiling_db=highest_db - by_db, kept_db=spec.ceiling_db)

    if _stops_short(before, lowered(lower_db)):
        low, high = 0.0, lower_db
        for _ in range(_STEPS):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if _stops_short(before, lowered(middle)) else (middle, high)
        lower_db = low
    return lowered(lower_db) if lower_db > SMALLEST_DB else spec


def follow_plr(
    before: LimiterForecast, spec: DeliverySpec, asked: PlrTarget | None, decision: ReferenceDecision | None
) -> tuple[DeliverySpec, tuple[Note, ...]]:
    """`follow_peaks` for the `chosen_plr`, and what is worth saying of it.

    Args:
        before, spec: as there.
        asked: by a person, None for what references ask for.
        decision: what references ask for, None without any.
    """
    plr = chosen_plr(asked, decision)
    if plr is None:
        return spec, ()
    lower = follow_peaks(before, spec, plr)
    if lower is spec or lower.ceiling_db is None or lower.lufs is None:
        return spec, _denser(before, plr, "plr" if asked is not None else "denser_than_reference")
    return lower, peak_notes(lower, asked, decision)


def peak_notes(
    spec: DeliverySpec, asked: PlrTarget | None, decision: ReferenceDecision | None
) -> tuple[Note, ...]:
    """What is said of peaks that are brought down; nothing where they aren't.

    Args:
        spec: by `follow_plr` or `raised_peaks`.
        asked, decision: as for `follow_plr`.
    """
    plr = chosen_plr(asked, decision)
    if plr is None or spec.kept_db is None or spec.ceiling_db is None or spec.lufs is None:
        return ()
    text = f"peaks are kept {spec.ceiling_db - spec.lufs:.1f} dB above the loudness"
    if asked is None:
        return (Note("reference_peaks", f"{text}, as the reference's are denser"),)
    way = "" if plr.share >= 1.0 else f"{100.0 * plr.share:.0f} % of the way to "
    return (Note("plr", f"{text}; asked for: {way}{plr.plr_db:.1f} dB"),)


def raised_peaks(spec: DeliverySpec, delivered: DeliveryResult) -> DeliverySpec | None:
    """The spec with higher peaks, where lowered ones stopped the song short of its target; None where they didn't.

    Args:
        spec: of the delivery.
        delivered: what came of it.
    """
    if spec.kept_db is None or spec.ceiling_db is None or spec.lufs is None:
        return None
    if delivered.limited_by not in ("reduction", "density"):
        return None
    room_db = spec.kept_db - spec.ceiling_db
    higher_db = max(_DB_PER_LU * (spec.lufs - delivered.readings.lufs), room_db / 4.0)
    if room_db - higher_db <= SMALLEST_DB:
        return replace(spec, ceiling_db=spec.kept_db, kept_db=None)
    return replace(spec, ceiling_db=spec.ceiling_db + higher_db)


def _denser(before: LimiterForecast, plr: PlrTarget, kind: str) -> tuple[Note, ...]:
    """What is said where the song's peaks are lower above its loudness than is asked for: nothing raises them."""
    own_db = before.readings.plr_db
    if plr.share <= 0.0 or not own_db < plr.plr_db - SMALLEST_DB:
        return ()
    wanted = "the reference's" if kind == "denser_than_reference" else "asked for:"
    text = (
        f"peaks lie {own_db:.1f} dB above the loudness, {wanted} {plr.plr_db:.1f} dB; "
        "they stay, since nothing gives back what was limited before"
    )
    return (Note(kind, text),)


def _stops_short(before: LimiterForecast, spec: DeliverySpec) -> bool:
    return GainSearch(before, spec, 0.0).limited_by is not None
