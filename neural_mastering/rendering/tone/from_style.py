"""The move that a style, the song's own content and references ask for, as one equaliser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from neural_mastering.controls import ChainControls
from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.models.normality import load_normal_tone
from neural_mastering.notes import Note
from neural_mastering.rendering.reference.fit import fit_curve
from neural_mastering.rendering.tone.analysis import ToneAnalysis
from neural_mastering.rendering.tone.tone import LEFT_ALONE, Tone
from neural_mastering.styles.expectations import normal_for
from neural_mastering.styles.move import LARGEST_DB, Move, Wish, wanted_move
from neural_mastering.words.fit import fit_together


def add_style(
    tone: Tone, analysis: ToneAnalysis, style: str, intensity_db: float, wishes: Sequence[Wish] = ()
) -> Tone:
    """The tone with the move towards a style in it; the same where the song is too short or too quiet.

    Args:
        tone: where the move starts from: its equaliser is what is done anyway.
        analysis: of the song.
        style: name, file or `auto`.
        intensity_db: size of the mistakes that are assumed.
        wishes: what references ask for.

    Raises:
        InputError: an unknown style.
    """
    normal = normal_for(style, analysis.content, load_normal_tone())
    if not analysis.profile.is_usable:
        note = Note("nothing_audible", "the song is too short or too quiet to be compared with a style")
        return replace(tone, actions=(*tone.actions, note))
    base = tone.controls.eq
    base_db = base.third_octaves_db(tone.controls.design_rate_hz)
    move = wanted_move(
        analysis.profile, normal.expectations, wishes, intensity_db, base_db, largest_db=LARGEST_DB
    )
    origin = tone.origin
    if origin.kind == LEFT_ALONE.kind:
        origin = Note("style", f"tone by comparison with {normal.expectations[0].name}")
    return replace(
        tone, controls=_moved(tone.controls, move, base_db), origin=origin, move=move, kinds=normal.kinds
    )


def _moved(controls: ChainControls, move: Move, base_db: Float64s) -> ChainControls:
    rate = controls.design_rate_hz
    if not len(controls.eq):
        return replace(controls, eq=fit_curve(move.curve_db, move.known, rate))
    # one fit of the sum, from the bands that were there
    return replace(
        controls, eq=fit_together(move.curve_db - base_db, controls.eq, base_db, rate).rounded((2, 4, 4))
    )
