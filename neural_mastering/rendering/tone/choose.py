"""The second step of a master: the controls that the options ask for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from neural_mastering.controls import ChainControls, load_controls, scaled
from neural_mastering.errors import InputError
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.notes import Note
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.tone.tone import LEFT_ALONE, Tone

NO_MODEL = "none"
"""What `--model` takes to leave the tone alone."""


def choose_tone(song: MeasuredSong, options: Options, progress: Callable[[str], None]) -> Tone:
    """Controls from references, a file, a model or nowhere; then strengths; then words.

    Raises:
        InputError: an unknown model, controls that can't be read, references that can't be used.
    """
    tone = _source(song, options, progress)
    tone = replace(tone, controls=scaled(tone.controls, options.shares(tone.controls)))
    if not options.words:
        return tone
    from neural_mastering.rendering.tone.from_words import add_words  # reads the tables of words

    return add_words(tone, song, options)


def _source(song: MeasuredSong, options: Options, progress: Callable[[str], None]) -> Tone:
    if options.references:
        # only with --reference
        from neural_mastering.rendering.tone.from_reference import tone_from_references

        progress("comparing with the references")
        return tone_from_references(song, options.references, options.match)
    chosen = load_controls(options.controls) if options.controls is not None else None
    name = model_name(options)
    if name is None or (chosen is not None and chosen.residual is None):
        if chosen is None:
            return Tone(ChainControls(), LEFT_ALONE)
        return Tone(chosen, Note("controls", f"controls from {options.controls}"))
    if not math.isfinite(song.readings.lufs):
        return Tone(
            chosen or ChainControls(), Note("nothing_audible", "nothing to hear: the model was not asked")
        )
    progress("listening")
    tone = _from_model(name, song)
    if chosen is None:
        return tone
    assert tone.model is not None
    origin = Note("controls", f"controls from {options.controls}, residual by {tone.model.label}")
    return replace(tone, controls=chosen, origin=origin)


def model_name(options: Options) -> str | None:
    """The model that is to listen: the one asked for, the bundled one where nothing else sets the tone, or none."""
    if options.references or (options.model or "").lower() == NO_MODEL:
        return None
    if options.model is not None:
        return options.model
    if options.controls is not None:  # words join the model, so that strength 0 is the same as no word
        return None
    from neural_mastering.models.bundle import default_model  # imports torch

    return default_model()


def find_model(name: str) -> Path:
    """What a name means: a checkpoint, a run folder, or a bundled model (its JSON file).

    Raises:
        InputError: none of these.
    """
    path = Path(name).expanduser()
    if path.exists():
        return path
    from neural_mastering.models.bundle import bundled_models  # imports torch

    bundled = bundled_models()
    if name in bundled:
        return bundled[name]
    known = f"; bundled models: {', '.join(bundled)}" if bundled else "; this version has no bundled model"
    raise InputError(f"--model {name}: no such file or run folder{known}")


def _from_model(name: str, song: MeasuredSong) -> Tone:
    from neural_mastering.models import find_bundle, load_model, read_bundle  # imports torch
    from neural_mastering.rendering.tone.from_model import listen  # loads torch

    path = find_model(name)
    bundle = find_bundle(path)
    confidence = None if bundle is None else read_bundle(bundle).confidence
    label = path.stem if path.is_file() else path.name
    listened = listen(
        load_model(path), label, song.blocks(), song.sample_rate, song.readings.lufs, confidence
    )
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
    origin = Note("model", f"controls by the model {label}")
    return Tone(listened.controls, origin, actions, model=listened)
