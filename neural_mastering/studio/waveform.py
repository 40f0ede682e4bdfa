"""The waveform as a pyramid of minima and maxima: what a page draws at any zoom, without decoding the song.

All numbers are little-endian. Header: the four bytes NMWF, then uint32 version, channels, levels. For each level,
finest first: uint32 samples_per_bin, uint32 bins, then bins × channels pairs (min, max) of int8, full scale ±127.
The last bin may cover fewer samples.
"""

import struct
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block

MAGIC, VERSION = b"NMWF", 1
FINEST_SAMPLES, STEP, COARSEST_BINS = 256, 4, 1024
"""Samples in a bin of the finest level, bins of a level in one of the next, and where the levels end."""

_FULL_SCALE = 127.0


class WaveformPyramid:
    """Collects a stream; `to_bytes` gives the pyramid.

    Args:
        channels: 1 or 2.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._open = np.zeros((channels, 0))
        self._parts: list[NDArray[np.int8]] = []

    def push(self, block: Block) -> None:
        """Take the next samples (channel, time)."""
        joined = np.concatenate([self._open, block], axis=1) if self._open.shape[1] else block
        whole = joined.shape[1] // FINEST_SAMPLES * FINEST_SAMPLES
        if whole:
            self._parts.append(_extremes(joined[:, :whole].reshape(self._channels, -1, FINEST_SAMPLES)))
        self._open = joined[:, whole:].copy()

    def to_bytes(self) -> bytes:
        """The pyramid of everything so far."""
        parts = list(self._parts)
        if self._open.shape[1]:
            parts.append(_extremes(self._open[:, None, :]))
        level = np.concatenate([np.zeros((0, self._channels, 2), np.int8), *parts])
        levels, size = [(FINEST_SAMPLES, level)], FINEST_SAMPLES
        while len(level) > COARSEST_BINS:
            starts = np.arange(0, len(level), STEP)
            level = np.stack(
                [
                    np.minimum.reduceat(level[:, :, 0], starts, axis=0),
                    np.maximum.reduceat(level[:, :, 1], starts, axis=0),
                ],
                axis=2,
            )
            size *= STEP
            levels.append((size, level))
        head = struct.pack("<4sIII", MAGIC, VERSION, self._channels, len(levels))
        return head + b"".join(struct.pack("<II", n, len(rows)) + rows.tobytes() for n, rows in levels)


def pyramid(blocks: Iterable[Block], channels: int) -> bytes:
    """The pyramid of a whole stream."""
    waveform = WaveformPyramid(channels)
    for block in blocks:
        waveform.push(block)
    return waveform.to_bytes()


def _extremes(cells: NDArray[np.float64]) -> NDArray[np.int8]:
    """(channel, bin, sample) → (bin, channel, 2): rounded outwards, so that no peak is drawn too small."""
    low = np.floor(cells.min(axis=2) * _FULL_SCALE)
    high = np.ceil(cells.max(axis=2) * _FULL_SCALE)
    both = np.clip(np.stack([low, high], axis=2), -_FULL_SCALE, _FULL_SCALE)
    return np.ascontiguousarray(both.transpose(1, 0, 2)).astype(np.int8)
