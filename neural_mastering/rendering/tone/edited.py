"""What was asked for at a song's ends and in its bass, beside its tone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.notes import Note
from neural_mastering.rendering.edits import SongEdits, with_bass_mono
from neural_mastering.rendering.tone.tone import Tone


def edited_tone(tone: Tone, song: MeasuredSong, edits: SongEdits) -> Tone:
    """The tone with the bass to the middle where that was asked for, and sentences on all edits.

    Raises:
        InputError: fades that don't fit into the song, or controls that can't take the bass out of the side.
    """
    edits.check_length(song.readings.frames / song.sample_rate)
    controls, notes = tone.controls, list(_notes(song, edits))
    if edits.bass_mono_hz is not None:
        if song.channels == 2:
            controls = with_bass_mono(controls, edits.bass_mono_hz)
        else:
            notes.append(Note("bass_mono", "the song is mono: --bass-mono does nothing"))
    return replace(tone, controls=controls, actions=(*tone.actions, *notes))


def _notes(song: MeasuredSong, edits: SongEdits) -> Iterator[Note]:
    edges = song.inspection.edges
    if edits.trim:
        before_s, behind_s = edges.leading_s, edges.trailing_s
        cut = f"{before_s:.3f} s before and {behind_s:.3f} s behind the music were cut off"
        if song.readings.true_peak_db == -math.inf:
            cut = "the song is silent: it keeps its length"
        elif not (before_s or behind_s):
            cut = "there was no silence to cut off"
        yield Note("trimmed", cut)
    for what, fade in (("in", edits.fade_in), ("out", edits.fade_out)):
        if fade is not None:
            yield Note("fade", f"faded {what} over {fade.seconds:g} s ({fade.curve})")
    if edits.silence_after_s > 0.0:
        yield Note("album_gap", f"{edits.silence_after_s:g} s of silence follow")
