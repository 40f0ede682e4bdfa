"""Words in a song's controls: one fit of the equaliser, a level that stays, the compressor of a preset."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from neural_mastering.dsp.band_fit import Bands
from neural_mastering.dsp.k_weighting import k_weighting_sections
from neural_mastering.rendering.controls import ChainControls, EqBand, scaled
from neural_mastering.rendering.reference_profile import CENTRES_HZ, Float64s, Spectrum
from neural_mastering.rendering.spoken import Spoken
from neural_mastering.words.fit import fit_together, judged
from neural_mastering.words.request import WordRequest, request

if TYPE_CHECKING:
    from neural_mastering.dsp.biquad import Kind
    from neural_mastering.rendering.audio_reader import AudioReader, Block
    from neural_mastering.rendering.meter import Readings
    from neural_mastering.rendering.options import Options
    from neural_mastering.rendering.tone import Tone

PowerSpectrum = tuple[Float64s, Float64s]
"""Frequencies in Hz and power at each, of any unit."""

ONLY_WORDS = "tone by words alone: no model, controls or reference were given"


def add_words(
    controls: ChainControls,
    options: Options,
    tone: Tone,
    reader: AudioReader,
    blocks: Callable[[], Iterator[Block]],
    readings: Readings,
) -> tuple[ChainControls, Spoken | None]:
    """The controls with the words of the options in them; the same controls where there are none, or all at 0."""
    asked = request(options.words)
    if asked.is_empty:
        return controls, None
    styled = tone.styled(asked.curve_db) if asked.words and options.controls is None else None
    if styled is not None:
        styled = scaled(styled, options.shares(styled))
    spectrum = Spectrum(reader.sample_rate, reader.channels)
    for block in blocks():
        spectrum.push(block)
    wanted_db = None if tone.wanted_db is None else options.share_of("eq") * tone.wanted_db
    spectrum.finish()
    return speak(controls, asked, spectrum.bins(), readings.lufs, wanted_db, styled)


def speak(
    controls: ChainControls,
    asked: WordRequest,
    spectrum: PowerSpectrum,
    input_lufs: float,
    wanted_db: Float64s | None = None,
    styled: ChainControls | None = None,
) -> tuple[ChainControls, Spoken]:
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
    base = _bands(controls)
    before_db = _level_db(base, rate)
    target_db = (before_db if wanted_db is None else wanted_db) + asked.curve_db
    bands = base
    compensation_db = 0.0
    if asked.words:
        bands = _bands(styled or controls)
        if styled is None:
            bands = _rounded(fit_together(asked.curve_db, base, wanted_db, rate))
        compensation_db = k_weighted_db(base, rate, spectrum) - k_weighted_db(bands, rate, spectrum)
    fitted = judged(bands, target_db, rate)
    spoken = Spoken(
        asked,
        _level_db(bands, rate) - (target_db - asked.curve_db),
        len(bands.kinds),
        fitted.rms_db if asked.words else 0.0,
        fitted.max_db if asked.words else 0.0,
        compensation_db,
        styled is not None,
    )
    controls = controls if styled is None else styled
    stages: Mapping[str, Mapping[str, float | tuple[float, ...]]] = controls.stages
    if asked.preset is not None:
        preset, strength = asked.preset
        heard = input_lufs if math.isfinite(input_lufs) else -70.0
        heard += k_weighted_db(base, rate, spectrum) + controls.gain_db
        rest = {name: stage for name, stage in stages.items() if name != "compressor"}
        stages = {"compressor": preset.stage(strength, heard), **rest}
    words = dict(controls.words)
    for name, strength in spoken.strengths.items():
        words[name] = words.get(name, 0.0) + strength
    added = replace(
        controls,
        eq=_eq_bands(bands) if asked.words else controls.eq,
        gain_db=controls.gain_db + compensation_db,
        stages=stages,
        words=words,
    )
    return added, spoken


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
    if total <= 0.0 or not len(bands.kinds):
        return 0.0
    factor = 10.0 ** (bands.level_db(np.minimum(at_hz, 0.499 * rate), rate) / 10.0)
    return 10.0 * math.log10(float((heard * factor).sum()) / total)


def _k_weights(at_hz: Float64s) -> Float64s:
    """Power response of the K-weighting, from its biquads at 192 kHz."""
    sections, rate = k_weighting_sections(192_000.0), 192_000.0
    z = np.exp(-2j * np.pi * np.minimum(at_hz, rate / 2.0) / rate)
    powers = np.stack([np.ones_like(z), z, z * z])
    response = np.prod((sections[:, :3] @ powers) / (sections[:, 3:] @ powers), axis=0)
    return np.abs(response) ** 2


def _bands(controls: ChainControls) -> Bands:
    kinds, *columns = controls.eq_columns()
    return Bands(tuple(kinds), *(np.array(column, dtype=np.float64) for column in columns))


def _level_db(bands: Bands, rate: float) -> Float64s:
    if not len(bands.kinds):
        return np.zeros(len(CENTRES_HZ))
    return bands.level_db(np.minimum(CENTRES_HZ, 0.49 * rate), rate)


def _rounded(bands: Bands) -> Bands:
    """Written numbers stay readable; what rounding changes is far below what can be heard."""
    return Bands(
        bands.kinds,
        np.round(bands.frequency_hz, 2),
        np.round(bands.gain_db, 4),
        np.round(bands.q, 4),
    )


def _eq_bands(bands: Bands) -> tuple[EqBand, ...]:
    columns = zip(bands.kinds, bands.frequency_hz, bands.gain_db, bands.q, strict=True)
    found = (EqBand(cast("Kind", kind), float(f), float(g), float(q)) for kind, f, g, q in columns)
    return tuple(band for band in found if band.gain_db != 0.0)
