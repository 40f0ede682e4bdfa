"""What a song does over time and between its channels: levels of short frames, and side against mid by band."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.metering.profile import Spectrum
from neural_mastering.units import db_to_power, power_to_db

Float64s = NDArray[np.float64]

FRAME_MS = 50.0
QUANTILES: Float64s = np.array([0.05, *np.arange(0.1, 0.91, 0.05), 0.95, 0.98, 0.995])
GATE_DB = 30.0
"""Frames this far below the mean power don't count: fades and gaps say nothing about dynamics."""

LONGEST_PIECES_S = 24.0
"""Of a song this much, in six pieces, is kept to try settings on."""

_EMPTY_DB = -50.0


@dataclass(frozen=True)
class Movement:
    """How a song moves.

    Attributes:
        levels_db: (quantile,) levels of frames of 50 ms at `QUANTILES`, less their mean.
        side_db: (third,) side over mid in each third octave; NaN where either is empty, and for mono.
    """

    levels_db: Float64s
    side_db: Float64s


class MovementMeter:
    """Measures `Movement` from blocks in flat memory (a number for every 50 ms)."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._frame = max(round(FRAME_MS * sample_rate / 1000.0), 1)
        self._rest = np.zeros(0)
        self._powers: list[Float64s] = []
        self._spectra = [Spectrum(sample_rate, 1) for _ in range(2)] if channels == 2 else []

    def push(self, block: Block) -> None:
        """Take the next block (channel, time)."""
        power = np.concatenate([self._rest, np.square(block, dtype=np.float64).mean(axis=0)])
        count = power.size // self._frame
        self._powers.append(power[: count * self._frame].reshape(count, self._frame).mean(axis=1))
        self._rest = power[count * self._frame :]
        if self._spectra:
            self._spectra[0].push(0.5 * (block[:1] + block[1:]))
            self._spectra[1].push(0.5 * (block[:1] - block[1:]))

    def finish(self) -> Movement:
        """What was measured."""
        levels = level_quantiles_db(np.concatenate([*self._powers, np.zeros(0)]))
        if not self._spectra:
            return Movement(levels, np.full(29, np.nan))
        mid, side = (power_to_db(spectrum.finish() + 1e-15) for spectrum in self._spectra)
        heard = (mid > mid.max() + _EMPTY_DB) & (side > mid.max() + 2.0 * _EMPTY_DB + 15.0)
        return Movement(levels, np.where(heard, side - mid, np.nan))


def level_quantiles_db(powers: Float64s) -> Float64s:
    """Quantiles of the levels of frames above the gate, less their mean; NaN with fewer than 20 frames."""
    mean = powers.mean() if powers.size else 0.0
    heard = powers[powers > mean * db_to_power(-GATE_DB)]
    if heard.size < 20 or mean <= 1e-12:
        return np.full(QUANTILES.size, np.nan)
    levels = np.quantile(power_to_db(heard), QUANTILES)
    return levels - levels.mean()


def movement_of(blocks: Iterable[Block], sample_rate: int) -> Movement:
    """Measure a song from its blocks."""
    meter: MovementMeter | None = None
    for block in blocks:
        meter = meter or MovementMeter(sample_rate, len(block))
        meter.push(block)
    return (meter or MovementMeter(sample_rate, 1)).finish()


def movement_of_file(path: str | Path) -> Movement:
    """Measure an audio file."""
    with AudioReader(path) as reader:
        return movement_of(reader.blocks(), reader.sample_rate)


def mean_movement(movements: Sequence[Movement], weights: Sequence[float]) -> Movement:
    """Weighted mean in dB; a band counts where all have it."""
    share = np.asarray(weights, dtype=np.float64) / sum(weights)
    return Movement(
        share @ np.stack([m.levels_db for m in movements]), share @ np.stack([m.side_db for m in movements])
    )


def pieces_of(blocks: Iterator[Block], sample_rate: int, frames: int) -> list[Block]:
    """Six pieces spread over a song, or the whole of a short one."""
    longest = round(LONGEST_PIECES_S * sample_rate)
    if frames <= longest:
        wanted = [(0, frames)]
    else:
        length = longest // 6
        wanted = [
            (start, start + length) for start in np.linspace(0, frames - length, 6).astype(int).tolist()
        ]
    found: list[list[NDArray[np.float32]]] = [[] for _ in wanted]
    position = 0
    for block in blocks:
        end = position + block.shape[1]
        for parts, (start, stop) in zip(found, wanted, strict=True):
            if start < end and stop > position:
                parts.append(np.array(block[:, max(start - position, 0) : stop - position], dtype=np.float32))
        position = end
    return [np.concatenate(parts, axis=1).astype(np.float64) for parts in found if parts]
