"""What is measured of a mix before a learned engineer is asked, in one pass over it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.metering.band_crest import BandCrestMeter
from neural_mastering.metering.content import Content, ContentMeter
from neural_mastering.metering.meter import Meter
from neural_mastering.metering.movement import MovementMeter
from neural_mastering.metering.profile import Spectrum
from neural_mastering.metering.texture import Texture, TextureMeter

NARROWEST_DB, WIDEST_DB = -40.0, 10.0
"""Side over mid is kept within these: mono measures −∞."""


@dataclass(frozen=True)
class SongFeatures:
    """A song as a learned engineer sees it.

    Attributes:
        content: features that an equaliser and a gain leave as they are.
        texture: how filled it is, and how it fluctuates; an equaliser leaves these as they are too.
        levels_db: (third,) level of each third octave less the integrated loudness.
        filled: (third,) bands that hold sound.
        loudness_lufs: integrated loudness.
        plr_db: true peak less loudness.
        lra_lu: loudness range.
        width_db: side over mid, −40 for mono.
        correlation: of left and right, 1 for mono.
        side_db: (third,) side over mid by band; NaN where either is empty, and for mono.
        crest_db: (octave,) crest by octave band; NaN where there is no sound.
        true_peak_db: in dBTP.
        seconds: length.
    """

    content: Content
    texture: Texture
    levels_db: Float64s = field(repr=False)
    filled: NDArray[np.bool_] = field(repr=False)
    loudness_lufs: float
    plr_db: float
    lra_lu: float
    width_db: float
    correlation: float
    side_db: Float64s = field(repr=False)
    crest_db: Float64s = field(repr=False)
    true_peak_db: float
    seconds: float


class FeatureMeter:
    """Reads blocks (channel, time); `finish` gives the features.

    Args:
        sample_rate: in Hz.
        channels: 1 or 2.
        name: of the song, for messages.
    """

    def __init__(self, sample_rate: int, channels: int, name: str = "the song") -> None:
        self._name, self._rate = name, sample_rate
        self._meter = Meter(sample_rate, channels)
        self._spectrum = Spectrum(sample_rate, channels)
        self._movement = MovementMeter(sample_rate, channels)
        self._crest = BandCrestMeter(sample_rate, channels)
        self._content = ContentMeter(sample_rate, channels)
        self._texture = TextureMeter(sample_rate)

    def push(self, block: Block) -> None:
        """Read the next block."""
        meters = (self._meter, self._spectrum, self._movement, self._crest, self._content, self._texture)
        for each in meters:
            each.push(block)

    def finish(self) -> SongFeatures:
        """The features of all blocks.

        Raises:
            InputError: too short, too quiet or of too low a sample rate to say anything.
        """
        readings, content = self._meter.finish(), self._content.finish()
        seconds = readings.frames / self._rate
        profile = self._spectrum.profile(readings.lufs, seconds)
        if content is None or not profile.is_usable:
            raise InputError(
                f"{self._name} can't be measured: expected at least 4.5 s of sound at 24 kHz or more, "
                f"got {seconds:.1f} s at {self._rate} Hz and {readings.lufs:.1f} LUFS".replace("-", "−")
            )
        width, correlation = readings.width_db, readings.correlation
        return SongFeatures(
            content=content,
            texture=self._texture.finish(),
            levels_db=profile.levels_db,
            filled=profile.filled,
            loudness_lufs=readings.lufs,
            plr_db=readings.plr_db,
            lra_lu=readings.lra,
            width_db=float(np.clip(width, NARROWEST_DB, WIDEST_DB)) if not math.isnan(width) else 0.0,
            correlation=0.0 if math.isnan(correlation) else correlation,
            side_db=self._movement.finish().side_db,
            crest_db=self._crest.finish(),
            true_peak_db=readings.true_peak_db,
            seconds=seconds,
        )


def features_of(blocks: Iterable[Block], sample_rate: int, name: str = "the song") -> SongFeatures:
    """Measure a song from its blocks (channel, time).

    Raises:
        InputError: nothing to measure.
    """
    meter: FeatureMeter | None = None
    for block in blocks:
        meter = meter or FeatureMeter(sample_rate, len(block), name)
        meter.push(block)
    if meter is None:
        raise InputError(f"{name} holds no audio: give a song of some seconds")
    return meter.finish()


def bands_hz() -> Float64s:
    """Centres of the bands of every curve, third octaves from 25 Hz to 16 kHz."""
    return CENTRES_HZ
