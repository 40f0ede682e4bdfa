"""Controls by comparison with reference songs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.metering.movement import (
    MovementMeter,
    mean_movement,
    movement_of_file,
    pieces_of,
)
from neural_mastering.metering.profile import Spectrum, profile_of_file, weighted_mean
from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.targets import (
    DEFAULT_CEILING_DB,
    LOUDEST_LUFS,
    QUIETEST_LUFS,
    Target,
)
from neural_mastering.rendering.reference.dynamics import LEAST_LIKELY, StageMatch, match_stages
from neural_mastering.rendering.reference.match import ReferenceMatch, match_references
from neural_mastering.rendering.tone.tone import ReferenceTone, Tone


def tone_from_references(song: MeasuredSong, references: Sequence[tuple[Path, float]]) -> Tone:
    """Match equaliser, compressor and width to (file, weight) of references, as far as they are comparable.

    Raises:
        InputError: a reference that can't be read or used.
    """
    spectrum = Spectrum(song.sample_rate, song.channels)
    for block in song.blocks():
        spectrum.push(block)
    profile = spectrum.profile(song.readings.lufs, song.readings.frames / song.sample_rate)
    measured = [(profile_of_file(path), weight) for path, weight in references]
    match = match_references(profile, measured)
    further = _match_stages(song, references, match) if profile.is_usable else StageMatch()
    names = tuple(path.name for path, _ in references)
    listed = ", ".join(names)
    mean = weighted_mean([p for p, _ in measured], [weight for _, weight in measured])
    lufs = min(max(match.lufs, QUIETEST_LUFS), LOUDEST_LUFS)
    return Tone(
        replace(match.controls, stages=further.stages),
        Note("reference", f"controls by comparison with {listed}"),
        tuple(Note("reference", text) for text in (*match.sentences, *further.sentences)),
        reference=ReferenceTone(
            names,
            mean.levels_db,
            match.curve_db,
            Target(f"loudness of {listed}", lufs, DEFAULT_CEILING_DB),
        ),
    )


def _match_stages(
    song: MeasuredSong, references: Sequence[tuple[Path, float]], match: ReferenceMatch
) -> StageMatch:
    """Compressor and width; references that are other songs are not followed and need not be measured."""
    own = MovementMeter(song.sample_rate, song.channels)
    pieces, theirs = [], []
    if match.same_song >= LEAST_LIKELY:
        for block in song.blocks():
            own.push(block)
        pieces = pieces_of(song.blocks(), song.sample_rate, song.readings.frames)
        theirs = [movement_of_file(path) for path, _ in references]
    weights = [weight for _, weight in references]
    movement = own.finish()
    return match_stages(
        pieces,
        song.sample_rate,
        song.readings.lufs,
        movement,
        mean_movement(theirs, weights) if theirs else movement,
        match.same_song,
        match.controls.eq_sections(song.sample_rate),
    )
