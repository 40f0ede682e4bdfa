"""What a mastering engineer did to one song: the mix, its master, and the move from the one to the other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import BLOCK_SAMPLES, Block
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.dsp.third_octaves import BROAD, Float64s
from neural_mastering.engineer.features import (
    NARROWEST_DB,
    WIDEST_DB,
    SongFeatures,
    features_of,
)
from neural_mastering.errors import InputError
from neural_mastering.metering.meter import Meter
from neural_mastering.metering.profile import Profile, Spectrum

Audio = str | Path | tuple[NDArray[np.floating], int]
"""A file, or samples (channel, time) with their rate in Hz."""


@dataclass(frozen=True)
class MasterMove:
    """What was done to a song.

    Attributes:
        curve_db: (third,) change of the spectrum, mean 0 from 50 Hz to 12.5 kHz, so that level plays no part.
        known: (third,) bands in which both sides hold sound; elsewhere the curve keeps its last known value.
        loudness_lufs, plr_db, lra_lu, width_db, true_peak_db: what the master measures.
    """

    curve_db: Float64s = field(repr=False)
    known: NDArray[np.bool_] = field(repr=False)
    loudness_lufs: float
    plr_db: float
    lra_lu: float
    width_db: float
    true_peak_db: float


@dataclass(frozen=True)
class PairMeasurement:
    """A song before and after.

    Attributes:
        name: of the song.
        features: of the mix.
        move: to the master.
    """

    name: str
    features: SongFeatures
    move: MasterMove


def measure_features(audio: Audio, name: str = "") -> SongFeatures:
    """Measure a mix: a file, or samples (channel, time) with their rate in Hz.

    Raises:
        InputError: audio that can't be read or measured.
    """
    if isinstance(audio, tuple):
        return features_of(_blocks(*audio), audio[1], name or "the song")
    with AudioReader(audio) as reader:
        return features_of(reader.blocks(), reader.sample_rate, name or str(audio))


def measure_pair(mix: Audio, master: Audio, name: str = "") -> PairMeasurement:
    """Measure both sides of a pair, each read once as a stream.

    The sides may differ in sample rate, length and level; they should be the same music from the same start.

    Args:
        mix, master: files, or samples (channel, time) with their rate in Hz.
        name: of the song; None takes that of the mix's file.

    Raises:
        InputError: a side that can't be read or measured.
    """
    name = name or (Path(mix).stem if isinstance(mix, str | Path) else "the song")
    features = measure_features(mix, f"the mix of {name}" if isinstance(mix, tuple) else "")
    if isinstance(master, tuple):
        move = _move(features, _blocks(*master), master[1], f"the master of {name}")
    else:
        with AudioReader(master) as reader:
            move = _move(features, reader.blocks(), reader.sample_rate, str(master))
    return PairMeasurement(name, features, move)


def move_between(features: SongFeatures, master: Profile) -> tuple[Float64s, NDArray[np.bool_]]:
    """The change of spectrum (third,) in dB from a mix to its master, and the bands in which it is known."""
    known = features.filled & master.filled
    if not (known & BROAD).any():
        known = features.filled
    change = master.levels_db - features.levels_db
    held = np.flatnonzero(known)
    change = np.interp(np.arange(len(change)), held, change[held])
    return change - change[BROAD].mean(), known


def _move(features: SongFeatures, blocks: Iterable[Block], sample_rate: int, name: str) -> MasterMove:
    meters: tuple[Meter, Spectrum] | None = None
    for block in blocks:
        meters = meters or (Meter(sample_rate, len(block)), Spectrum(sample_rate, len(block)))
        for each in meters:
            each.push(block)
    if meters is None:
        raise InputError(f"{name} holds no audio: export it again")
    readings = meters[0].finish()
    profile = meters[1].profile(readings.lufs, readings.frames / sample_rate)
    if not profile.is_usable:
        raise InputError(f"{name} is silent, or quieter than −70 LUFS: export it again")
    curve_db, known = move_between(features, profile)
    width = readings.width_db
    return MasterMove(
        curve_db=curve_db,
        known=known,
        loudness_lufs=readings.lufs,
        plr_db=readings.plr_db,
        lra_lu=readings.lra,
        width_db=float(np.clip(width, NARROWEST_DB, WIDEST_DB)) if not math.isnan(width) else 0.0,
        true_peak_db=readings.true_peak_db,
    )


def _blocks(samples: NDArray[np.floating], sample_rate: int) -> Iterator[Block]:
    audio = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    if audio.ndim != 2 or audio.shape[0] > 2:
        raise InputError(
            f"expected audio (channel, time) with one or two channels, got shape {audio.shape}: transpose it?"
        )
    for start in range(0, audio.shape[1], BLOCK_SAMPLES):
        yield np.ascontiguousarray(audio[:, start : start + BLOCK_SAMPLES])
