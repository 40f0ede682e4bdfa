"""How far a master came towards its references in each respect, what was left, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, Float64s
from neural_mastering.rendering.reference.decision import ReferenceDecision
from neural_mastering.rendering.reference.distances import (
    levels_distance_db,
    loudness_distance_db,
    tone_distance_db,
    width_distance_db,
)
from neural_mastering.rendering.reference.measured import SongMeasures
from neural_mastering.rendering.reference.shares import limit_db
from neural_mastering.reporting.markup import number
from neural_mastering.reporting.reference_section import ReferenceReport, RespectRow
from neural_mastering.reporting.report_data import Chart, ChartLine

_REACHED_DB = 0.15
"""A distance below this is none to speak of."""


@dataclass(frozen=True)
class ReferenceOutcome:
    """What came of following references.

    Attributes:
        decision: what they asked for.
        rows: one a respect: tone, width, dynamics, loudness.
        applied_db: (third,) response of the equaliser that was rendered.
    """

    decision: ReferenceDecision
    rows: tuple[RespectRow, ...]
    applied_db: Float64s

    @property
    def sentences(self) -> list[str]:
        """One a respect that could be compared."""
        return [
            f"{row.respect}: {number(row.before, 1)} {row.unit} from the reference before, {number(row.after, 1)} "
            f"{row.unit} after" + (f"; left: {row.left}" if row.left else "")
            for row in self.rows
            if math.isfinite(row.before) and math.isfinite(row.after)
        ]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: shares, distances, curves over third octaves."""
        decision = self.decision
        return {
            "same_song": decision.same_song,
            "match": asdict(decision.shares),
            "respects": [asdict(row) for row in self.rows],
            "frequency_hz": [round(float(f), 2) for f in CENTRES_HZ],
            "difference_db": _rounded(np.where(decision.known, decision.difference_db, np.nan)),
            "asked_db": _rounded(decision.curve_db),
            "applied_db": _rounded(self.applied_db),
        }

    def report(self) -> ReferenceReport:
        """What the report page shows."""
        decision = self.decision
        lines = [
            ChartLine(
                "reference less song",
                np.where(decision.known, decision.difference_db, np.nan),
                "before",
            ),
            ChartLine("asked for", decision.curve_db, "target"),
            ChartLine("applied", self.applied_db, "result"),
        ]
        return ReferenceReport(self.rows, Chart(CENTRES_HZ, lines), decision.same_song)


def outcome_of(
    decision: ReferenceDecision, master: SongMeasures, applied_db: Float64s, target_asked: bool
) -> ReferenceOutcome:
    """Compare a master with what was asked of it.

    Args:
        decision: that the master was made by.
        master: what the written file measures.
        applied_db: (third,) response of the equaliser that was rendered.
        target_asked: the loudness was set by the user and not by the references.
    """
    return ReferenceOutcome(decision, tuple(_rows(decision, master, target_asked)), applied_db)


def _rows(decision: ReferenceDecision, master: SongMeasures, target_asked: bool) -> Iterator[RespectRow]:
    song, reference, shares = decision.song, decision.reference, decision.shares
    before, after = (tone_distance_db(each, reference, decision.known) for each in (song, master))
    yield RespectRow("tone", "dB", shares.tone, before, after, left=_left(after, _tone_reasons(decision)))
    before, after = (
        width_distance_db(each.movement.side_db, reference.movement.side_db) for each in (song, master)
    )
    yield RespectRow(
        "width",
        "dB",
        shares.width,
        before,
        after,
        song.readings.width_db,
        master.readings.width_db,
        reference.readings.width_db,
        _left(after, _width_reasons(decision)),
    )
    before, after = (
        levels_distance_db(each.movement.levels_db, reference.movement.levels_db) for each in (song, master)
    )
    yield RespectRow(
        "dynamics",
        "dB",
        shares.dynamics,
        before,
        after,
        song.readings.plr_db,
        master.readings.plr_db,
        reference.readings.plr_db,
        _left(after, _dynamics_reasons(decision, master, after - before)),
    )
    before, after = (loudness_distance_db(each, reference) for each in (song, master))
    yield RespectRow(
        "loudness",
        "LU",
        shares.loudness,
        before,
        after,
        song.readings.lufs,
        master.readings.lufs,
        reference.profile.lufs,
        _left(after, _loudness_reasons(decision, target_asked)),
    )


def _left(distance: float, reasons: Iterator[str]) -> str:
    return ", ".join(reasons) if distance > _REACHED_DB else ""


def _tone_reasons(decision: ReferenceDecision) -> Iterator[str]:
    share = decision.shares.tone
    if decision.same_song:
        yield "what differs within an octave"
        return
    yield from _share_reason(share)
    if share > 0.0:
        used = decision.known & BROAD
        most_db = limit_db(share)
        if used.any() and float(np.abs(share * decision.difference_db[used]).max()) > 0.8 * most_db:
            yield f"moves stay within ±{most_db:.0f} dB"
        if decision.count > 1:
            yield "less is followed where the references differ from one another"
        yield "what differs within an octave"


def _width_reasons(decision: ReferenceDecision) -> Iterator[str]:
    yield from _share_reason(decision.shares.width)
    if "stereo" not in decision.stages:
        yield "the stage was left alone"
    elif "crossovers_hz" in decision.stages["stereo"]:
        yield "what differs within an octave, moves beyond the limits, wider bass"


def _dynamics_reasons(decision: ReferenceDecision, master: SongMeasures, further_db: float) -> Iterator[str]:
    if further_db > _REACHED_DB:
        yield "equaliser, compressor and limiter together moved the whole song's levels away"
    else:
        yield from _share_reason(decision.shares.dynamics)
    plr_db = master.readings.plr_db - decision.reference.readings.plr_db
    if "compressor" not in decision.stages and decision.shares.dynamics > 0.0:
        yield "no compressor brings the levels closer"
    if math.isfinite(plr_db) and abs(plr_db) > 1.0:
        yield (
            f"the peaks lie {abs(plr_db):.1f} dB {'higher' if plr_db > 0.0 else 'lower'} over the loudness than "
            "the reference's"
        )


def _loudness_reasons(decision: ReferenceDecision, target_asked: bool) -> Iterator[str]:
    if target_asked:
        yield "the target was asked for"
        return
    yield from _share_reason(decision.shares.loudness)


def _share_reason(share: float) -> Iterator[str]:
    if share < 1.0:
        yield f"{100.0 * share:.0f} % was asked for"


def _rounded(values: Float64s) -> list[float]:
    return [round(float(value), 4) for value in values]
