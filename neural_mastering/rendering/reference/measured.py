"""What a reference measures, from one reading of its file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.metering.codec_edge import codec_edge_hz
from neural_mastering.metering.content import Content, ContentMeter
from neural_mastering.metering.meter import Meter, Readings
from neural_mastering.metering.movement import Movement, MovementMeter
from neural_mastering.metering.profile import Profile, Spectrum, weighted_mean
from neural_mastering.units import third_octave_hz


@dataclass(frozen=True)
class SongMeasures:
    """What is compared between a song and its references.

    Attributes:
        profile: loudness and spectrum.
        movement: levels over time, and side against mid.
        readings: of the meter.
        edge_hz: where the spectrum ends like that of a lossy file, None where it does not.
        content: who plays how; None where there is too little sound.
    """

    profile: Profile
    movement: Movement
    readings: Readings
    edge_hz: float | None = None
    content: Content | None = None

    @property
    def broad_profile(self) -> Profile:
        """The profile without the bands that the edge of a codec cuts."""
        if self.edge_hz is None:
            return self.profile
        whole = CENTRES_HZ * third_octave_hz(0.5) < self.edge_hz
        return replace(self.profile, filled=self.profile.filled & whole)


@dataclass(frozen=True)
class MeasuredReference:
    """A reference.

    Attributes:
        path: of the file.
        weight: above 0.
        is_lossless: by its format.
        measures: of all of it.
    """

    path: Path
    weight: float
    is_lossless: bool
    measures: SongMeasures


def measures_of(blocks: Iterable[Block], sample_rate: int, channels: int) -> SongMeasures:
    """Measure a song (channel, time) in one go and flat memory, but for a number every 50 ms."""
    meter, spectrum = Meter(sample_rate, channels), Spectrum(sample_rate, channels)
    movement, content = MovementMeter(sample_rate, channels), ContentMeter(sample_rate, channels)
    for block in blocks:
        for each in (meter, spectrum, movement, content):
            each.push(block)
    readings = meter.finish()
    profile = spectrum.profile(readings.lufs, readings.frames / sample_rate)
    return SongMeasures(
        profile, movement.finish(), readings, codec_edge_hz(*spectrum.bins()), content.finish()
    )


def measures_of_file(path: Path) -> SongMeasures:
    """Measure an audio file.

    Raises:
        InputError: a file that can't be read.
    """
    with AudioReader(path) as reader:
        return measures_of(reader.blocks(), reader.sample_rate, reader.channels)


def measure_reference(path: str | Path, weight: float = 1.0) -> MeasuredReference:
    """Measure a reference.

    Raises:
        InputError: a file that can't be read, or one with nothing to hear in it.
    """
    with AudioReader(path) as reader:
        measures = measures_of(reader.blocks(), reader.sample_rate, reader.channels)
        is_lossless = reader.is_lossless
    if not measures.profile.is_usable:
        raise InputError(f"{path} is too short or too quiet to be a reference: give a song of some seconds")
    return MeasuredReference(Path(path), weight, is_lossless, measures)


def mean_measures(references: Sequence[MeasuredReference]) -> SongMeasures:
    """One record for several references: weighted means in dB; readings of the one with the largest weight.

    A quantile, or a band of the side, is the mean of those that have it, where these hold half of the weight.

    Raises:
        InputError: no reference, or weights that are not above 0.
    """
    weights = [reference.weight for reference in references]
    profile = weighted_mean([reference.measures.profile for reference in references], weights)
    movements = [reference.measures.movement for reference in references]
    heaviest = max(references, key=lambda reference: reference.weight)
    return SongMeasures(
        profile,
        Movement(
            _mean_of_known([each.levels_db for each in movements], weights),
            _mean_of_known([each.side_db for each in movements], weights),
        ),
        heaviest.measures.readings,
    )


def _mean_of_known(rows: Sequence[Float64s], weights: Sequence[float]) -> Float64s:
    values = np.stack(rows)
    share = np.isfinite(values) * (np.asarray(weights, dtype=np.float64) / sum(weights))[:, None]
    total = share.sum(axis=0)
    mean = (np.where(share > 0.0, values, 0.0) * share).sum(axis=0) / np.maximum(total, 1e-12)
    return np.where(total >= 0.5 - 1e-9, mean, np.nan)
