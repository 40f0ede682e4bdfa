"""The unit in which audio streams: a block of samples."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float64]
"""(channel, time) in float64, full scale ±1, C-contiguous."""

BLOCK_SAMPLES = 1 << 16


def blocks_of(samples: NDArray[Any], block_samples: int = BLOCK_SAMPLES) -> Iterator[Block]:
    """Samples in memory (channel, time) as a stream, cut as files are."""
    for start in range(0, samples.shape[1], block_samples):
        yield np.ascontiguousarray(samples[:, start : start + block_samples], dtype=np.float64)


def joined(blocks: Iterable[Block], channels: int) -> Block:
    """A stream in memory, (channel, time)."""
    return np.concatenate([np.zeros((channels, 0)), *blocks], axis=1)
