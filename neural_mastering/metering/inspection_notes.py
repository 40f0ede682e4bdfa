"""What was seen when a song was looked over, in sentences with numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from neural_mastering.metering.artefacts import Artefacts, SteadyLines
from neural_mastering.metering.edges import Edges
from neural_mastering.metering.inspection import SongInspection
from neural_mastering.metering.stereo_bands import StereoBands
from neural_mastering.notes import Note

LEADING_S, TRAILING_S = 0.5, 3.0
"""Shorter silence at the ends is usual."""

BASS_HZ = 300.0
"""The stereo stage's high-pass reaches up to here."""

_INVERTED_SHARE = 0.9
_LINES_RANGE_DB = -6.0


def inspection_notes(found: SongInspection, lufs: float, is_lossless: bool) -> list[Note]:
    """Notes on a song's ends, its fold-down and its artefacts.

    Args:
        found: by the inspector.
        lufs: loudness of the song; −inf where there is none.
        is_lossless: of a lossy file a hard edge of the spectrum says nothing new.
    """
    notes = list(_edges(found.edges))
    if found.stereo is not None:
        notes += _stereo(found.stereo)
    return [*notes, *_artefacts(found.artefacts, lufs, is_lossless)]


def _edges(edges: Edges) -> Iterator[Note]:
    if edges.leading_s >= LEADING_S:
        yield Note(
            "leading_silence", f"{edges.leading_s:.2f} s without music at the beginning (--trim cuts it off)"
        )
    if edges.trailing_s >= TRAILING_S:
        yield Note(
            "trailing_silence", f"{edges.trailing_s:.2f} s without music at the end (--trim cuts it off)"
        )
    for click in edges.clicks:
        place = "before" if click.is_before else "behind"
        yield Note(
            "edge_click",
            f"a click of {click.level_db:.0f} dBFS at {click.time_s:.3f} s, {place} the music (--trim cuts it off)",
        )
    ends = (("starts", edges.start_step_db, "--fade-in 0.01"), ("ends", edges.end_step_db, "--fade-out 0.01"))
    for verb, step_db, remedy in ends:
        if math.isfinite(step_db):
            yield Note(
                "edge_step",
                f"the song {verb} on a step of {step_db:.0f} dBFS, which clicks ({remedy} takes it away; leave it "
                "where another song joins)",
            )


def _stereo(bands: StereoBands) -> Iterator[Note]:
    if bands.inverted_share >= _INVERTED_SHARE:
        yield Note(
            "polarity",
            f"{bands.inverted_share:.0%} of the third octaves have a correlation below −0.5: one channel is "
            "inverted; invert it back in the mix",
        )
        return
    for region in bands.regions:
        remedy = ""
        if region.low_hz <= BASS_HZ / 1.5:
            corner_hz = min(BASS_HZ, math.ceil(1.5 * region.high_hz / 10.0) * 10.0)
            remedy = f" (--bass-mono {corner_hz:.0f} makes the bass mono)"
        yield Note(
            "fold_down",
            f"in mono, {_hz(region.low_hz)} to {_hz(region.high_hz)} lose {-region.drop_db:.1f} dB: left and right "
            f"partly cancel there{remedy}",
        )


def _artefacts(found: Artefacts, lufs: float, is_lossless: bool) -> Iterator[Note]:
    if found.edge_hz is not None and is_lossless:
        yield Note(
            "hard_edge",
            f"the spectrum ends at {_hz(found.edge_hz)} as if cut off, though the file is lossless: what was above "
            "is lost (files that were lossy once, and some generated music, measure so)",
        )
    if found.lines is not None:
        lines = found.lines
        listed = ", ".join(f"{hz / 1000.0:.2f}" for hz in lines.frequencies_hz[:4])
        more = ", …" if len(lines.frequencies_hz) > 4 else ""
        remedy = (
            f"; to turn them down, in a file for --controls: {_snippet(lines, lufs)}"
            if math.isfinite(lufs)
            else ""
        )
        yield Note(
            "steady_lines",
            f"{len(lines.frequencies_hz)} steady lines at {listed}{more} kHz stand up to {lines.highest_db:.0f} dB "
            f"out of the spectrum around them: they can sound metallic{remedy}",
        )
    if found.hiss is not None:
        yield Note(
            "tail_hiss",
            f"steady noise of {found.hiss.level_db:.0f} dBFS lies under the last {found.hiss.seconds:.1f} s "
            "(--fade-out takes it away)",
        )


def _snippet(lines: SteadyLines, lufs: float) -> str:
    """A dynamic equaliser as it stands under `stages:` in a file of controls."""
    low, high = lines.frequencies_hz[0], lines.frequencies_hz[-1]
    centre_hz = math.sqrt(low * high)
    q = min(max(centre_hz / max(high - low, 1.0), 0.5), 8.0)
    threshold_db = min(max(lines.band_db - lufs - 3.0, -60.0), 0.0)
    values = {
        "frequency_hz": f"[{centre_hz:.1f}]",
        "q": f"[{q:.2f}]",
        "threshold_db": f"[{threshold_db:.1f}]",
        "range_db": f"[{_LINES_RANGE_DB}]",
        "attack_ms": "[1.0]",
        "release_ms": "[60.0]",
        "input_lufs": f"{lufs:.1f}",
    }
    return f"stages: {{dynamic_eq: {{{', '.join(f'{key}: {value}' for key, value in values.items())}}}}}"


def _hz(frequency: float) -> str:
    return f"{frequency:.0f} Hz" if frequency < 1000.0 else f"{frequency / 1000.0:.1f} kHz"
