"""The second step of a master: the controls that the options ask for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from neural_mastering.controls import ChainControls, load_controls, scaled
from neural_mastering.controls.catalogue import STAGE_NAMES
from neural_mastering.engineer.bundle import find_engineer
from neural_mastering.errors import InputError
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.notes import Note
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.tone.listened import ListenedTone
from neural_mastering.rendering.tone.listening import NO_MODEL, Listening, chosen_style, find_model
from neural_mastering.rendering.tone.tone import LEFT_ALONE, Tone

if TYPE_CHECKING:
    from neural_mastering.rendering.tone.analysis import ToneAnalysis


def choose_tone(
    song: MeasuredSong,
    options: Options,
    progress: Callable[[str], None],
    analyse: Callable[[MeasuredSong], ToneAnalysis] | None = None,
    listening: Listening | None = None,
) -> Tone:
    """What a person's controls or a model set; the move towards a style and references; strengths; words.

    Args:
        song: measured.
        options: of the master.
        progress: called with a word for each step.
        analyse: gives the song's analysis where it is known already; None reads the song for it.
        listening: has read the song while it was measured; None reads it again.

    Raises:
        InputError: an unknown model or style, controls that can't be read, references that can't be used.
    """
    listening = listening or Listening(options)
    base = _base(song, options, progress, listening)
    tone = _moved(base, song, options, progress, analyse or listening.analysis)
    controls = scaled(tone.controls, options.shares(tone.controls))
    tone = replace(tone, controls=controls, eq_share=options.share_of("eq"))
    if not options.words:
        return tone
    from neural_mastering.rendering.tone.from_words import add_words  # reads the tables of words

    return add_words(tone, song, options)


def _moved(
    tone: Tone,
    song: MeasuredSong,
    options: Options,
    progress: Callable[[str], None],
    analyse: Callable[[MeasuredSong], ToneAnalysis],
) -> Tone:
    """The tone with the move towards a style and references in it."""
    style = chosen_style(options)
    if options.references:
        from neural_mastering.rendering.tone.from_reference import joined, tone_from_references  # as above

        progress("comparing with the references")
        used = [name for name in STAGE_NAMES if options.share_of(name) > 0.0]
        referred = tone_from_references(song, options.references, options.match, used)
        if style is None and tone.controls == ChainControls():
            return referred
        tone = joined(tone, referred)
    if (style is None and not options.references) or not math.isfinite(song.readings.lufs):
        return tone
    from neural_mastering.rendering.tone.from_style import add_move  # scipy's optimisers

    progress("listening")
    return add_move(tone, analyse(song), style, options.intensity_db)


def _base(
    song: MeasuredSong, options: Options, progress: Callable[[str], None], listening: Listening
) -> Tone:
    """What is done anyway: a person's controls, what a model wants, or nothing."""
    chosen = load_controls(options.controls) if options.controls is not None else None
    name = options.model if (options.model or NO_MODEL).lower() != NO_MODEL else None
    if name is None or (chosen is not None and chosen.residual is None):
        if chosen is None:
            return Tone(ChainControls(), LEFT_ALONE)
        return Tone(chosen, Note("controls", f"controls from {options.controls}"))
    if not math.isfinite(song.readings.lufs):
        return Tone(
            chosen or ChainControls(), Note("nothing_audible", "nothing to hear: the model was not asked")
        )
    progress("listening")
    heard = listening.tone(song)
    if heard is not None:
        return _as_heard(heard)
    tone = _from_model(name, song)
    if chosen is None:
        return tone
    if tone.model is None:
        raise InputError(f"--controls {options.controls} asks for a residual, and --model {name} has none")
    origin = Note("controls", f"controls from {options.controls}, residual by {tone.model.label}")
    return replace(tone, controls=chosen, origin=origin)


def _from_model(name: str, song: MeasuredSong) -> Tone:
    engineer = find_engineer(name)
    if engineer is not None:
        from neural_mastering.rendering.tone.from_engineer import tone_from_engineer  # only where it is used

        return tone_from_engineer(engineer, song)
    from neural_mastering.models import find_bundle, load_model, read_bundle  # imports torch
    from neural_mastering.rendering.tone.from_model import listen  # loads torch

    path = find_model(name)
    bundle = find_bundle(path)
    confidence = None if bundle is None else read_bundle(bundle).confidence
    label = path.stem if path.is_file() else path.name
    return _as_heard(
        listen(load_model(path), label, song.blocks(), song.sample_rate, song.readings.lufs, confidence)
    )


def _as_heard(listened: ListenedTone) -> Tone:
    """A model's controls, with what there is to say about them."""
    actions = ()
    if listened.confidence is not None:
        found = listened.confidence
        actions = (
            Note(
                "confidence",
                f"{100.0 * found.confidence:.0f} % of the model's equaliser is used, as far as its moves pay on "
                f"songs that it does not know ({found.windows} windows ask for {found.move_db:.1f} dB in "
                f"common and differ by {found.spread_db:.1f} dB)",
            ),
        )
    origin = Note("model", f"controls by the model {listened.label}")
    return Tone(listened.controls, origin, actions, model=listened)
