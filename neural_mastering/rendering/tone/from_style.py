"""One engine for the tone: a style, the song's own content and references, around what is done anyway."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neural_mastering.controls import Bands, ChainControls
from neural_mastering.dsp.third_octaves import BROAD, Float64s, octave_smoothed
from neural_mastering.metering.profile import Profile
from neural_mastering.normality import load_normal_tone
from neural_mastering.notes import Note
from neural_mastering.rendering.reference.follow import fit_within
from neural_mastering.rendering.reference.shares import limit_db
from neural_mastering.rendering.reference.statement import reference_statement
from neural_mastering.rendering.tone.analysis import ToneAnalysis
from neural_mastering.rendering.tone.tone import LEFT_ALONE, Tone
from neural_mastering.styles.expectations import Normal, is_auto, normal_for
from neural_mastering.styles.intensity import error_covariance
from neural_mastering.styles.move import LARGEST_DB, Move, Wish, wanted_move
from neural_mastering.words.fit import fit_together

ENGINEER_LARGEST_DB = 12.0
"""What no curve exceeds in which a learned engineer has a say."""

FREEDOM_DB = 6.0
"""Size of the moves that references may ask for where no style limits them."""


def add_move(tone: Tone, analysis: ToneAnalysis, style: str | None, intensity_db: float) -> Tone:
    """The tone with a move towards a style and references in it; the same where the song says too little.

    Args:
        tone: where the move starts from: its equaliser is done anyway. Its references join the move.
        analysis: of the song.
        style: name, file or `auto`; None for references alone.
        intensity_db: size of the mistakes that are assumed.

    Raises:
        InputError: an unknown style.
    """
    normal = Normal((), {}) if style is None else normal_for(style, analysis.content, load_normal_tone())
    if not analysis.profile.is_usable:
        why = _too_little(analysis.profile)
        asked = style is not None and not is_auto(style)
        if asked and tone.origin.kind == LEFT_ALONE.kind:
            tone = replace(tone, origin=Note("left_alone", f"the style {style} moved nothing"))
        note = Note("nothing_audible", f"the song can't be compared with others: {why}")
        return replace(tone, actions=(*tone.actions, note))
    if (
        tone.reference is not None and intensity_db <= 0.0
    ):  # no mistakes are assumed, but a reference is followed
        style, normal = None, replace(normal, expectations=())
    size_db = FREEDOM_DB if style is None else intensity_db
    wishes, largest_db = _wishes(tone, error_covariance(size_db))
    if tone.engineer is not None:  # joins as a statement with its own spread, not as what is done anyway
        wishes = (*wishes, Wish(f"engineer {tone.engineer.label}", tone.engineer.prediction.curve))
        tone = replace(tone, controls=replace(tone.controls, eq=Bands.of()))
        size_db, largest_db = max(size_db, FREEDOM_DB), max(largest_db, ENGINEER_LARGEST_DB)
    base_db = tone.controls.eq.third_octaves_db(tone.controls.design_rate_hz)
    move = wanted_move(analysis.profile, normal.expectations, wishes, size_db, base_db, largest_db)
    left_db = move.curve_db - _stages_db(tone, move)
    return replace(
        tone,
        controls=_moved(tone.controls, left_db, move.known, base_db, largest_db),
        origin=_origin(tone, style),
        move=move,
        kinds=normal.kinds,
    )


def _too_little(profile: Profile) -> str:
    if not math.isfinite(profile.lufs):
        return "it is too short or too quiet for a loudness"
    return f"only {int(profile.filled.sum())} of its {profile.filled.size} third octaves hold sound"


def _wishes(tone: Tone, prior: Float64s) -> tuple[tuple[Wish, ...], float]:
    """What the references ask for, and the largest move."""
    reference = tone.reference
    if reference is None:
        return (), LARGEST_DB
    share = reference.decision.shares.tone
    song = reference.decision.song.broad_profile
    statement = reference_statement(song, reference.profiles, share, prior)
    return (Wish(f"reference {', '.join(reference.names)}", statement),), limit_db(share)


def _origin(tone: Tone, style: str | None) -> Note:
    if tone.origin.kind != LEFT_ALONE.kind or style is None:
        return tone.origin
    if is_auto(style):
        return Note(
            "style", "tone by comparison with finished songs like this one: nothing else was asked for"
        )
    return Note("style", f"tone by comparison with the style {style}")


def _stages_db(tone: Tone, move: Move) -> Float64s:
    """(third,) what the stages that references ask for do to the level anyway, as broad as the move is."""
    anyway_db = np.zeros(len(move.curve_db))
    if tone.reference is not None:
        decision = tone.reference.decision
        for name, change_db in decision.changes_db.items():
            if tone.controls.stages.get(name) is decision.stages.get(name):  # and not a person's own
                anyway_db += octave_smoothed(change_db, move.known)
    used = BROAD & move.known
    return anyway_db - anyway_db[used].mean() if used.any() else anyway_db


def _moved(
    controls: ChainControls,
    curve_db: Float64s,
    known: NDArray[np.bool_],
    base_db: Float64s,
    largest_db: float,
) -> ChainControls:
    rate = controls.design_rate_hz
    if not len(controls.eq):
        return replace(
            controls, eq=fit_within(curve_db.clip(-largest_db, largest_db), known, largest_db, rate)
        )
    # one fit of the sum, from the bands that were there
    bands = fit_together(curve_db - base_db, controls.eq, base_db, rate)
    return replace(controls, eq=bands.rounded((2, 4, 4)))
