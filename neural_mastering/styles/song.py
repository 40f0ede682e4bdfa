"""One song as a style sees it, measured in a single pass."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.metering.band_crest import OCTAVES_HZ, BandCrestMeter
from neural_mastering.metering.content import Content, ContentMeter
from neural_mastering.metering.meter import Meter
from neural_mastering.metering.movement import MovementMeter
from neural_mastering.metering.profile import Spectrum
from neural_mastering.units import power_to_db, third_octave_hz

LEAST_SECONDS = 3.0
"""Shorter than this is no song: a sound, a jingle, a cut."""

SHORT_SECONDS = 30.0
"""Shorter than this, the levels of the bands are less certain."""

LARGEST_RANGE_DB = 75.0
"""A band this far below the loudest holds no music; in a song of one tone it is the window's leakage."""

RANGE_SECONDS = 20.0
"""Loudness range needs some length; EBU Tech 3342 advises against short programmes."""

LEAST_BANDS = 6

MONO_LU = float(power_to_db(2.0))
"""What a mono file gains on two speakers, where BS.1770 adds the powers of both; it is compared with stereo."""

_CELL_HZ = 250.0
_EDGE_FROM_HZ, _EDGE_TO_HZ, _EDGE_FALL_DB, _EDGE_CELLS = 9_000.0, 18_000.0, 20.0, 4
_NEAR_HALF_RATE = 0.9


@dataclass(frozen=True)
class SongTone:
    """What one song measures.

    Attributes:
        name: for people, such as the file's name.
        levels_db: (third,) level of each third octave less the song's integrated loudness.
        filled: (third,) bands that hold sound and lie below the edge of a lossy codec; others say nothing.
        lufs: integrated loudness, of a mono song as on two speakers; −inf where there is none.
        plr_db: true peak less loudness, NaN where there is no loudness.
        lra_lu: loudness range, NaN for less than 20 s.
        side_db: (third,) side over mid by band, NaN where either is empty and for mono.
        crest_db: (octave,) crest by octave band, NaN where there is no sound.
        fine_db: fine structure of the spectrum, by which versions of a song are recognised.
        seconds: length.
        sample_rate: in Hz.
        channels: 1 or 2.
        edge_hz: where a lossy codec has cut the treble off; None where nothing is cut.
        content: features that an equaliser does not change; None where not asked for, or where there is too little
            sound.
    """

    name: str
    levels_db: Float64s
    filled: NDArray[np.bool_]
    lufs: float
    plr_db: float
    lra_lu: float
    side_db: Float64s
    crest_db: Float64s
    fine_db: Float64s
    seconds: float
    sample_rate: int
    channels: int
    edge_hz: float | None = None
    content: Content | None = None

    @property
    def fault(self) -> str:
        """Why nothing can be learned from it or compared with it; empty where it can."""
        if self.seconds < LEAST_SECONDS:
            return f"only {self.seconds:.1f} s long; expected {LEAST_SECONDS:g} s or more"
        if not math.isfinite(self.lufs):
            return "silent, or below −70 LUFS"
        if int(self.filled.sum()) < LEAST_BANDS:
            return f"sound in only {int(self.filled.sum())} third octaves; expected {LEAST_BANDS} or more"
        return ""


def measure_song_tone(path: str | Path, with_content: bool = False) -> SongTone:
    """Measure an audio file; its content only if asked for.

    Raises:
        InputError: a file that can't be read as audio.
    """
    with AudioReader(path) as reader:
        return song_tone_of(reader.blocks(), reader.sample_rate, Path(path).name, with_content)


def song_tone_of(
    blocks: Iterable[Block], sample_rate: int, name: str = "", with_content: bool = False
) -> SongTone:
    """Measure a song from its blocks (channel, time), read once, in flat memory.

    About 0.5 s of one core for a minute of stereo at 44.1 kHz, of which decoding is the smallest part; its content
    takes another 0.1 s.

    Raises:
        InputError: no samples at all.
    """
    meters: tuple[Meter, Spectrum, MovementMeter, BandCrestMeter] | None = None
    content: ContentMeter | None = None
    for block in blocks:
        if meters is None:
            channels = len(block)
            meters = (
                Meter(sample_rate, channels),
                Spectrum(sample_rate, channels),
                MovementMeter(sample_rate, channels),
                BandCrestMeter(sample_rate, channels),
            )
            content = ContentMeter(sample_rate, channels) if with_content else None
        for each in meters:
            each.push(block)
        if content is not None:
            content.push(block)
    if meters is None:
        raise InputError(f"{name or 'the song'} holds no audio: give a song of some seconds")
    meter, spectrum, movement, crest = meters
    readings = meter.finish()
    seconds = readings.frames / sample_rate
    lufs = readings.lufs + (MONO_LU if meter.channels == 1 else 0.0)
    profile = spectrum.profile(lufs, seconds)
    edge_hz = codec_edge_hz(*spectrum.bins())
    filled = profile.filled & (profile.levels_db > profile.levels_db.max() - LARGEST_RANGE_DB)
    filled &= (edge_hz or math.inf) > CENTRES_HZ * third_octave_hz(0.5)
    has_sound = math.isfinite(readings.lufs)
    return SongTone(
        name=name,
        levels_db=profile.levels_db,
        filled=filled if has_sound else np.zeros(len(CENTRES_HZ), dtype=bool),
        lufs=lufs,
        plr_db=readings.plr_db - (lufs - readings.lufs if has_sound else 0.0),
        lra_lu=readings.lra if has_sound and seconds >= RANGE_SECONDS else math.nan,
        side_db=movement.finish().side_db,
        crest_db=crest.finish() if has_sound else np.full(len(OCTAVES_HZ), np.nan),
        fine_db=profile.fine_db,
        seconds=seconds,
        sample_rate=sample_rate,
        channels=meter.channels,
        edge_hz=edge_hz,
        content=None if content is None else content.finish(),
    )


def codec_edge_hz(at_hz: Float64s, power: Float64s) -> float | None:
    """Frequency at which a steep low-pass ends the spectrum, None where there is none.

    A fall of 20 dB within 1 kHz, above 9 kHz, after which the level stays low: what MP3 at 128 kb/s does at 16 kHz.
    Music loses that much over an octave, not over a tone. What falls near half the sample rate is the converter's.

    Args:
        at_hz: frequencies of the bins, rising, from above 0 Hz to half the sample rate.
        power: long-term power of each, in any unit.
    """
    highest_hz = float(at_hz[-1])
    reach_hz = min(_EDGE_TO_HZ, _NEAR_HALF_RATE * highest_hz)
    cell = (at_hz / _CELL_HZ).astype(int)
    count = np.bincount(cell)
    levels_db = power_to_db(np.bincount(cell, power) / np.maximum(count, 1) + 1e-30)
    first, last = int(_EDGE_FROM_HZ / _CELL_HZ), int(highest_hz / _CELL_HZ)
    if last - first <= _EDGE_CELLS or not power.any():
        return None
    levels_db = levels_db[:last]
    for place in range(first, min(last - _EDGE_CELLS, int(reach_hz / _CELL_HZ))):
        rest = levels_db[place + _EDGE_CELLS :]
        if rest.max() < levels_db[place] - _EDGE_FALL_DB:
            return (place + 1) * _CELL_HZ
    return None
