"""What is to be done to a song after its references: the curve, the stages and the loudness that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.controls import Bands, ChainControls
from neural_mastering.controls.catalogue import Values
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, Float64s, octave_smoothed
from neural_mastering.metering.movement import Movement
from neural_mastering.notes import Note
from neural_mastering.rendering.reference.checks import far_warning, reference_warnings
from neural_mastering.rendering.reference.compressor_trial import compressed_tone_db
from neural_mastering.rendering.reference.dynamics import LEAST_LIKELY, find_compressor, match_stages
from neural_mastering.rendering.reference.fit import fit_curve
from neural_mastering.rendering.reference.follow import FollowedTone, follow_tone
from neural_mastering.rendering.reference.match import ReferenceMatch, match_references
from neural_mastering.rendering.reference.measured import MeasuredReference, SongMeasures, mean_measures
from neural_mastering.rendering.reference.shares import EXACT, MatchShares
from neural_mastering.rendering.reference.width import follow_width, level_change_db

COMPRESSOR, STEREO = "compressor", "stereo"
MOST_REDUCTION_DB = 6.0
"""Reduction that 95 % of a song must stay below behind a compressor that follows another song."""


_ROUNDS = 2


@dataclass(frozen=True)
class ReferenceDecision:
    """What references ask for.

    Attributes:
        song, reference: what was compared; the mean of several references.
        shares: how far the references are followed in each respect.
        same_song: they are another version of the song itself, and are followed exactly.
        difference_db: (third,) references less song, smooth where they are other songs; 0 in unknown bands.
        known: (third,) bands that are compared.
        curve_db: (third,) what the equaliser was asked for.
        bands: of the equaliser.
        stages: compressor and stereo stage.
        changes_db: (third,) level changes of stages by name; the equaliser does what they leave of the difference.
        sentences: what was found and decided.
        warnings: what a person should know about the references.
        count: of the references.
    """

    song: SongMeasures
    reference: SongMeasures
    shares: MatchShares
    same_song: bool
    difference_db: Float64s
    known: NDArray[np.bool_]
    curve_db: Float64s
    bands: Bands
    stages: Mapping[str, Values] = field(default_factory=dict)
    changes_db: Mapping[str, Float64s] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    warnings: tuple[Note, ...] = ()
    count: int = 1


def follow_references(
    song: SongMeasures,
    references: Sequence[MeasuredReference],
    pieces: Sequence[Block],
    shares: MatchShares | None = None,
    design_rate_hz: float = 44_100.0,
    used: Collection[str] = (COMPRESSOR, STEREO),
) -> ReferenceDecision:
    """Decide how to follow references.

    Another version of the song itself is followed exactly, or as far as the shares say where there are some; other
    songs by the shares. A stereo stage changes levels where it changes the side, and a compressor turns down what
    sounds in loud moments, so the equaliser of another song's tone does what is left of the difference after both.

    Args:
        song: what it measures.
        references: one or more.
        pieces: of the song, (channel, time) each, to try compressors on.
        shares: of the way; None for the default.
        design_rate_hz: at which the bands will mean their curve.
        used: names of the stages that will be used, of compressor and stereo.

    Raises:
        InputError: references with too little sound in common.
    """
    weighted = [(reference.measures.profile, reference.weight) for reference in references]
    mean = mean_measures(references)
    match = match_references(song.profile, weighted, design_rate_hz=design_rate_hz)
    warnings = reference_warnings(song, references)
    if not song.profile.is_usable:
        return ReferenceDecision(
            song,
            mean,
            shares or MatchShares(),
            False,
            match.difference_db,
            np.zeros_like(song.profile.filled),
            match.curve_db,
            Bands.of(),
            sentences=match.sentences,
            warnings=warnings,
        )
    if match.same_song >= LEAST_LIKELY:
        same = _same_song(song, mean, pieces, match, shares or EXACT, design_rate_hz)
        return replace(same, warnings=warnings)
    shares = shares or MatchShares()
    broad = [(reference.measures.broad_profile, reference.weight) for reference in references]
    side_db, stages, changes_db = song.movement.side_db, dict[str, Values](), dict[str, Float64s]()
    width, about_width = follow_width(side_db, mean.movement.side_db, shares.width, song.readings.sample_rate)
    if STEREO in used:
        changes_db[STEREO] = level_change_db(side_db, width)
    follow = partial(follow_tone, song.broad_profile, broad, shares.tone, design_rate_hz)
    tone = follow(_sum(changes_db))
    compressor, about_dynamics = _compressor(song, mean.movement, pieces, tone, shares, design_rate_hz)
    if compressor:
        stages[COMPRESSOR] = compressor
        if COMPRESSOR in used:
            tone, changes_db[COMPRESSOR] = _behind_compressor(
                follow,
                tone,
                _sum(changes_db),
                lambda bands: compressed_tone_db(
                    pieces,
                    song.readings.sample_rate,
                    compressor,
                    _sections(bands, song.readings.sample_rate, design_rate_hz),
                ),
                design_rate_hz,
            )
    if width:
        stages[STEREO] = width
    return ReferenceDecision(
        song,
        mean,
        shares,
        False,
        tone.difference_db,
        tone.known,
        tone.curve_db,
        tone.bands,
        stages,
        changes_db,
        (_about(match.agreement, len(references)), *about_dynamics, about_width),
        (*warnings, *far_warning(tone.difference_db, tone.known)),
        len(references),
    )


def _same_song(
    song: SongMeasures,
    mean: SongMeasures,
    pieces: Sequence[Block],
    match: ReferenceMatch,
    shares: MatchShares,
    design_rate_hz: float,
) -> ReferenceDecision:
    known = song.profile.filled & mean.profile.filled
    curve_db, bands = match.curve_db, match.controls.eq
    if shares.tone < 1.0:
        curve_db = shares.tone * curve_db
        bands = fit_curve(curve_db, known, design_rate_hz)
    rate = song.readings.sample_rate
    further = match_stages(
        pieces,
        rate,
        song.readings.lufs,
        song.movement,
        mean.movement,
        match.same_song,
        _sections(bands, rate, design_rate_hz),
        shares,
    )
    return ReferenceDecision(
        song,
        mean,
        shares,
        True,
        match.difference_db,
        known,
        curve_db,
        bands,
        further.stages,
        sentences=(*match.sentences, *further.sentences),
    )


def _compressor(
    song: SongMeasures,
    reference: Movement,
    pieces: Sequence[Block],
    tone: FollowedTone,
    shares: MatchShares,
    design_rate_hz: float,
) -> tuple[Values, tuple[str, ...]]:
    """The compressor after other songs, where one helps, and what is said about it."""
    if shares.dynamics == 0.0:
        return {}, ()
    rate = song.readings.sample_rate
    values, said = find_compressor(
        pieces,
        rate,
        song.readings.lufs,
        reference.levels_db,
        shares.dynamics,
        _sections(tone.bands, rate, design_rate_hz),
        MOST_REDUCTION_DB,
    )
    return values, (said,)


def _behind_compressor(
    follow: Callable[[Float64s], FollowedTone],
    first: FollowedTone,
    anyway_db: Float64s,
    compressed: Callable[[Bands], Float64s],
    design_rate_hz: float,
) -> tuple[FollowedTone, Float64s]:
    """The tone of the least distance behind the compressor, and what the compressor does to it.

    An equaliser changes what the compressor behind it does, so it is asked for what the last one left, a few times.

    Args:
        follow: the equaliser for what is done to each band's level anyway.
        first: without a look at the compressor.
        anyway_db: (third,) what other stages do.
        compressed: (third,) what the compressor does behind an equaliser.
        design_rate_hz: of the bands.
    """

    def left(tone: FollowedTone, change_db: Float64s) -> float:
        done_db = tone.bands.third_octaves_db(design_rate_hz) + anyway_db + change_db
        used = tone.known & BROAD if (tone.known & BROAD).any() else tone.known
        return (
            float((tone.wanted_db - octave_smoothed(done_db, tone.known))[used].std()) if used.any() else 0.0
        )

    tone, change_db = first, compressed(first.bands)
    found = [(left(tone, change_db), tone, change_db)]
    for _ in range(_ROUNDS):
        tone = follow(anyway_db + change_db)
        change_db = compressed(tone.bands)
        found.append((left(tone, change_db), tone, change_db))
    _, tone, change_db = min(found, key=lambda each: each[0])
    return tone, change_db


def _sections(bands: Bands, sample_rate: int, design_rate_hz: float) -> Float64s:
    return ChainControls(design_rate_hz=design_rate_hz, eq=bands).eq_sections(sample_rate)


def _sum(changes_db: Mapping[str, Float64s]) -> Float64s:
    return sum(changes_db.values(), np.zeros(len(CENTRES_HZ)))


def _about(agreement: float, count: int) -> str:
    noun = "the reference is another song" if count == 1 else f"the {count} references are other songs"
    return (
        f"{noun} (the fine structure agrees by {agreement:.2f}): broad tone, dynamics and width are followed, "
        "what differs within an octave is not"
    )
