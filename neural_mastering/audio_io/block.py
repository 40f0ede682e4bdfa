"""The unit in which audio streams: a block of samples."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float64]
"""(channel, time) in float64, full scale ±1, C-contiguous."""

BLOCK_SAMPLES = 1 << 16


class BlockReader(Protocol):
    """What reads a stream block by block."""

    def push(self, block: Block) -> None:
        """Read the next block; it must be left as it is."""


def blocks_of(samples: NDArray[Any], block_samples: int = BLOCK_SAMPLES) -> Iterator[Block]:
    """Samples in memory (channel, time) as a stream, cut as files are."""
    for start in range(0, samples.shape[1], block_samples):
        yield np.ascontiguousarray(samples[:, start : start + block_samples], dtype=np.float64)


def cut(blocks: Iterable[Block], start: int, end: int) -> Iterator[Block]:
    """The samples [start, end) of a stream."""
    position = 0
    for block in blocks:
        first, last = max(start - position, 0), min(end - position, block.shape[1])
        position += block.shape[1]
        if first < last:
            yield np.ascontiguousarray(block[:, first:last])
        if position >= end:
            return


def with_silence(blocks: Iterable[Block], frames: int, channels: int) -> Iterator[Block]:
    """A stream with silence behind it."""
    yield from blocks
    for start in range(0, frames, BLOCK_SAMPLES):
        yield np.zeros((channels, min(BLOCK_SAMPLES, frames - start)))


def joined(blocks: Iterable[Block], channels: int) -> Block:
    """A stream in memory, (channel, time)."""
    return np.concatenate([np.zeros((channels, 0)), *blocks], axis=1)
