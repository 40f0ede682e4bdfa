"""What a mastering engineer did to one song: the mix, its master, and the move from the one to the other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block, blocks_of, cut
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


@dataclass(frozen=True)
class CommonPart:
    """Where the music that both sides hold lies in each of them.

    Attributes:
        mix_start_s, master_start_s: where it begins.
        seconds: how long it is; None for as long as there is sound.
    """

    mix_start_s: float = 0.0
    master_start_s: float = 0.0
    seconds: float | None = None


def measure_features(audio: Audio, name: str = "") -> SongFeatures:
    """Measure a mix: a file, or samples (channel, time) with their rate in Hz.

    Raises:
        InputError: audio that can't be read or measured.
    """
    with _opened(audio, name or "the song", 0.0, None) as (blocks, sample_rate, called):
        return features_of(blocks, sample_rate, called)


def measure_pair(
    mix: Audio, master: Audio, name: str = "", common: CommonPart | None = None
) -> PairMeasurement:
    """Measure both sides of a pair, each read once as a stream.

    The sides may differ in sample rate and level; they should be the same music.

    Args:
        mix, master: files, or samples (channel, time) with their rate in Hz.
        name: of the song; by default that of the mix's file.
        common: the part that is measured; None for all of both.

    Raises:
        InputError: a side that can't be read or measured.
    """
    name = name or (Path(mix).stem if isinstance(mix, str | Path) else "the song")
    part = common or CommonPart()
    with _opened(mix, f"the mix of {name}", part.mix_start_s, part.seconds) as opened:
        features = features_of(*opened)
    with _opened(master, f"the master of {name}", part.master_start_s, part.seconds) as opened:
        move = _move(features, *opened)
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


@contextmanager
def _opened(
    audio: Audio, name: str, start_s: float, seconds: float | None
) -> Iterator[tuple[Iterator[Block], int, str]]:
    """The blocks of a part, the sample rate, and a name for messages."""

    def part(blocks: Iterator[Block], rate: int) -> Iterator[Block]:
        if start_s <= 0.0 and seconds is None:
            return blocks
        start = round(start_s * rate)
        return cut(blocks, start, start + round((seconds if seconds is not None else 1e6) * rate))

    if isinstance(audio, tuple):
        samples = np.atleast_2d(np.asarray(audio[0]))
        if samples.ndim != 2 or samples.shape[0] > 2:
            raise InputError(
                f"expected audio (channel, time) with one or two channels, got shape {samples.shape}: "
                "transpose it?"
            )
        yield part(blocks_of(samples), audio[1]), audio[1], name
        return
    with AudioReader(audio) as reader:
        yield part(reader.blocks(), reader.sample_rate), reader.sample_rate, str(audio)
