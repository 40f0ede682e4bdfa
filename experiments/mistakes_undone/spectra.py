"""Third-octave spectra of excerpts and of what is rendered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.middle import read_middle
from experiments.mistakes_undone.songs import Song
from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.dsp.third_octaves import BROAD, Float64s
from neural_mastering.metering.profile import Profile, Spectrum, profile_of
from neural_mastering.units import power_to_db


class Spectra(NamedTuple):
    """Of many songs: levels (song, third) in dB with mean 0 over the broad bands that hold sound; filled ones."""

    packages: tuple[str, ...]
    levels_db: Float64s
    filled: np.ndarray

    def save(self, path: Path) -> None:
        """Write as .npz."""
        np.savez_compressed(path, packages=self.packages, levels_db=self.levels_db, filled=self.filled)

    @classmethod
    def load(cls, path: Path) -> Spectra:
        """Read what `save` wrote."""
        with np.load(path) as held:
            return cls(tuple(held["packages"].tolist()), held["levels_db"], held["filled"])


def excerpt(path: Path, seconds: float) -> tuple[Float64s, int]:
    """Samples (time, channel) from the middle, stereo."""
    samples, rate = read_middle(path, seconds)
    return (np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples), rate


def profile_of_samples(samples: Float64s, sample_rate: int) -> Profile:
    """Profile of samples (time, channel)."""
    return profile_of([np.ascontiguousarray(samples.T)], sample_rate)


def levels_of(blocks: Iterable[Block], sample_rate: int, channels: int) -> Float64s:
    """(third,) levels in dB of blocks (channel, time)."""
    spectrum = Spectrum(sample_rate, channels)
    for block in blocks:
        spectrum.push(block)
    return power_to_db(spectrum.finish() + 1e-15)


def levels_of_file(path: Path) -> Float64s:
    """(third,) levels in dB of a file."""
    with AudioReader(path) as reader:
        return levels_of(reader.blocks(), reader.sample_rate, reader.channels)


def centred(levels_db: Float64s, filled: np.ndarray) -> Float64s:
    """Less the mean over the broad bands that hold sound."""
    return levels_db - levels_db[BROAD & filled].mean()


def spectra_of(songs: Sequence[Song], seconds: float) -> Spectra:
    """Of the middles of songs; silent ones are left out."""
    kept, levels, filled = [], [], []
    for song in songs:
        profile = profile_of_samples(*excerpt(song.path, seconds))
        if profile.is_usable:
            kept.append(song.package)
            levels.append(centred(profile.levels_db, profile.filled))
            filled.append(profile.filled)
    return Spectra(tuple(kept), np.stack(levels), np.stack(filled))
