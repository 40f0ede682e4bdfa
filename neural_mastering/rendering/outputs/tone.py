"""What is said about the move of a song's tone: sentences, JSON, and the section of the report."""

from __future__ import annotations

from typing import Any

import numpy as np

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.notes import Note
from neural_mastering.rendering.tone.tone import Tone
from neural_mastering.reporting.report_data import Chart, ChartLine
from neural_mastering.reporting.tone_section import ToneReport
from neural_mastering.styles.intensity import INTENSITIES_DB
from neural_mastering.styles.move import Move
from neural_mastering.styles.region_move import RegionMove, region_moves


def tone_notes(tone: Tone) -> tuple[Note, ...]:
    """How far the tone was moved and why, region by region; empty without a move."""
    move = tone.move
    if move is None or move.normal is None:
        return ()
    said = [region.words for region in _regions(move, tone.eq_share) if region.is_notable]
    return (Note("intensity", explanation(move, tone.eq_share)), *(Note("region", text) for text in said))


def explanation(move: Move, share: float = 1.0) -> str:
    """One sentence on how far from normal the mix may be by mistake, and what came of it.

    Args:
        move: what is asked for.
        share: of the equaliser that is used, 0 to 1.
    """
    names = {size: name for name, size in INTENSITIES_DB.items()}
    size = f"{move.intensity_db:g} dB"
    if move.intensity_db in names:
        size = f"{size} ({names[move.intensity_db]})"
    done = f"the equaliser moves it by {share * move.rms_db:.1f} dB"
    if share <= 0.0:
        done = f"the equaliser would move it by {move.rms_db:.1f} dB, but was left out"
    elif share < 1.0:
        done = f"{done}, {100.0 * share:.0f} % of {move.rms_db:.1f} dB"
    return f"compared with {among(move)}: assuming that mistakes of the mix are about {size} in size, {done}"


def compared_with(move: Move) -> str:
    """The kinds of the mixture, the most probable first."""
    ordered = sorted(move.expectations, key=lambda item: -item[1])
    if len(ordered) == 1:
        return ordered[0][0]
    return ", ".join(f"{name} ({100.0 * weight:.0f} %)" for name, weight in ordered)


def among(move: Move) -> str:
    """What the song is compared with, as a noun: "songs like this", "rock songs"."""
    name = compared_with(move)
    return name if "songs" in name or "music" in name else f"{name} songs"


def tone_json(tone: Tone) -> dict[str, Any] | None:
    """The move as one JSON object; None without one."""
    move = tone.move
    if move is None:
        return None
    numbers: dict[str, Any] = {
        "compared_with": dict(move.expectations),
        "kinds": dict(tone.kinds),
        "intensity_db": move.intensity_db,
        "frequency_hz": _rounded(CENTRES_HZ, 2),
        "song_db": _rounded(np.where(move.known, move.song_db, np.nan)),
        "curve_db": _rounded(move.curve_db),
        "curve_sigma_db": _rounded(move.sigma_db),
        "applied_db": _rounded(tone.applied_db),
        "parts": {part.name: _rounded(part.curve_db) for part in move.parts},
    }
    if move.normal is not None:
        numbers["normal_db"] = _rounded(np.where(move.normal.known, move.normal.mean, np.nan))
        numbers["normal_sigma_db"] = _rounded(move.normal.sigma)
        numbers["regions"] = [
            {
                "name": region.name,
                "low_hz": region.low_hz,
                "high_hz": region.high_hz,
                "against_normal_db": round(region.standing.difference, 3),
                "deviations": round(region.standing.sigma, 3),
                "move_db": round(region.move_db, 3),
                "words": region.words,
            }
            for region in _regions(move, tone.eq_share)
        ]
    return numbers


def tone_report(tone: Tone) -> ToneReport | None:
    """The section of the report page; None without an expectation to compare with."""
    move = tone.move
    if move is None or move.normal is None:
        return None
    normal, sigma = move.normal, move.normal.sigma
    said = explanation(move, tone.eq_share)
    moved_db = move.song_db + tone.eq_share * move.curve_db
    heard = normal.known
    expected = np.where(heard, normal.mean, np.nan)
    spectrum = Chart(
        CENTRES_HZ,
        [
            ChartLine("expected", expected, "target"),
            ChartLine("before", np.where(move.known, move.song_db, np.nan), "before"),
            ChartLine(
                "with the move",
                np.where(move.known, moved_db, np.nan),
                "result",
            ),
        ],
        corridor=(expected - sigma, expected + sigma),
    )
    lines = [ChartLine("asked for", move.curve_db, "target")]
    if len(move.parts) > 1:
        lines += [ChartLine(part.name, part.curve_db) for part in move.parts]
    lines.append(ChartLine("applied", tone.applied_db, "result"))
    return ToneReport(
        compared_with=among(move),
        explanation=said[:1].upper() + said[1:] + ".",
        spectrum=spectrum,
        move=Chart(CENTRES_HZ, lines),
        regions=[
            (_title(r), r.standing.difference, r.standing.sigma, r.move_db, r.words)
            for r in _regions(move, tone.eq_share)
        ],
        kinds=tone.kinds,
    )


def _regions(move: Move, share: float) -> list[RegionMove]:
    assert move.normal is not None
    return region_moves(move.song_db, move.normal, share * move.curve_db, among(move))


def _title(region: RegionMove) -> str:
    return f"{region.name}, {region.standing.span}"


def _rounded(values: Float64s, digits: int = 3) -> list[float]:
    return [round(float(value), digits) for value in values]
