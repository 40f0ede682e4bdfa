"""Words in a song's controls: one fit of the equaliser, a level that stays, the compressor of a preset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from neural_mastering.controls import Bands, ChainControls, scaled
from neural_mastering.controls.catalogue import Values
from neural_mastering.dsp.k_weighting import k_weighting_sections
from neural_mastering.dsp.sections import sections_response
from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.metering.profile import Spectrum
from neural_mastering.notes import Note
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.tone.tone import LEFT_ALONE, ONLY_WORDS, Tone
from neural_mastering.rendering.tone.word_effect import WordEffect
from neural_mastering.units import db_to_power, power_to_db
from neural_mastering.words.fit import fit_together, judged
from neural_mastering.words.request import WordRequest, request

PowerSpectrum = tuple[Float64s, Float64s]
"""Frequencies in Hz and power at each, of any unit."""


def add_words(tone: Tone, song: MeasuredSong, options: Options) -> Tone:
    """The tone with the words of the options in it; the same where there are none, or all at 0."""
    asked = request(options.words)
    if asked.is_empty:
        return tone
    styled = None
    if asked.words and options.controls is None and tone.model is not None and tone.move is None:
        styled = tone.model.restyled(asked.curve_db)
    if styled is not None:
        styled = scaled(styled, options.shares(styled))
    spectrum = Spectrum(song.sample_rate, song.channels)
    for block in song.blocks():
        spectrum.push(block)
    spectrum.finish()
    wanted_db = _fitted_to(tone)
    if wanted_db is not None:
        wanted_db = options.share_of("eq") * wanted_db
    controls, effect = apply_words(
        tone.controls, asked, spectrum.bins(), song.readings.lufs, wanted_db, styled
    )
    return replace(
        tone,
        controls=controls,
        origin=ONLY_WORDS if tone.origin.kind == LEFT_ALONE.kind else tone.origin,
        warnings=(*tone.warnings, *(Note("words", text) for text in asked.notes)),
        words=effect,
    )


def _fitted_to(tone: Tone) -> Float64s | None:
    """The curve that the equaliser was fitted to, where there is one."""
    if tone.move is not None:
        return tone.move.curve_db
    return None if tone.reference is None else tone.reference.curve_db


def apply_words(
    controls: ChainControls,
    asked: WordRequest,
    spectrum: PowerSpectrum,
    input_lufs: float,
    wanted_db: Float64s | None = None,
    styled: ChainControls | None = None,
) -> tuple[ChainControls, WordEffect]:
    """Put words into controls.

    Args:
        controls: strengths applied.
        asked: not empty.
        spectrum: of the song, for the level.
        input_lufs: of the song.
        wanted_db: (third,) the curve that the controls' bands were fitted to, None to take their own response.
        styled: the controls of a model that was given the words as its style; nothing is fitted then.
    """
    rate = controls.design_rate_hz
    base = controls.eq
    before_db = base.third_octaves_db(rate)
    target_db = (before_db if wanted_db is None else wanted_db) + asked.curve_db
    bands = base
    compensation_db = 0.0
    if asked.words:
        bands = (styled or controls).eq
        if styled is None:
            # Written numbers stay readable; what rounding changes is far below what can be heard.
            bands = fit_together(asked.curve_db, base, wanted_db, rate).rounded((2, 4, 4))
        compensation_db = k_weighted_db(base, rate, spectrum) - k_weighted_db(bands, rate, spectrum)
    fitted = judged(bands, target_db, rate)
    effect = WordEffect(
        asked,
        bands.third_octaves_db(rate) - (target_db - asked.curve_db),
        len(bands),
        fitted.rms_db if asked.words else 0.0,
        fitted.max_db if asked.words else 0.0,
        compensation_db,
        styled is not None,
    )
    controls = controls if styled is None else styled
    stages: Mapping[str, Values] = controls.stages
    if asked.preset is not None:
        preset, strength = asked.preset
        heard = input_lufs if math.isfinite(input_lufs) else -70.0
        heard += k_weighted_db(base, rate, spectrum) + controls.gain_db
        rest = {name: stage for name, stage in stages.items() if name != "compressor"}
        stages = {"compressor": preset.stage(strength, heard), **rest}
    words = dict(controls.words)
    for name, strength in effect.strengths.items():
        words[name] = words.get(name, 0.0) + strength
    added = replace(
        controls,
        eq=bands.active() if asked.words else controls.eq,
        gain_db=controls.gain_db + compensation_db,
        stages=stages,
        words=words,
    )
    return added, effect


def k_weighted_db(bands: Bands, rate: float, spectrum: PowerSpectrum) -> float:
    """Change of the K-weighted level of a sound by an equaliser.

    Args:
        bands: of the equaliser.
        rate: at which they mean their curve.
        spectrum: of the sound; silence changes by 0 dB.
    """
    at_hz, powers = spectrum
    heard = powers * _k_weights(at_hz)
    total = float(heard.sum())
    if total <= 0.0 or not len(bands):
        return 0.0
    factor = db_to_power(bands.level_db(np.minimum(at_hz, 0.499 * rate), rate))
    return power_to_db(float((heard * factor).sum()) / total)


def _k_weights(at_hz: Float64s) -> Float64s:
    """Power response of the K-weighting, from its biquads at 192 kHz."""
    rate = 192_000.0
    return np.abs(sections_response(k_weighting_sections(rate), np.minimum(at_hz, rate / 2.0), rate)) ** 2
