"""A stream at another sample rate."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block

Samples = NDArray[np.floating[Any]]
"""(channel, time) in float32 or float64."""


def resampled(blocks: Iterable[Block], source_hz: int, target_hz: int, channels: int) -> Iterator[Block]:
    """Blocks (channel, time) by soxr (VHQ), aligned with the input; at equal rates they pass as they are."""
    if source_hz == target_hz:
        yield from blocks
        return
    stream = soxr.ResampleStream(source_hz, target_hz, channels, dtype="float64", quality="VHQ")

    def convert(block: Block, last: bool) -> Block:
        frames = stream.resample_chunk(np.ascontiguousarray(block.T), last=last)
        return np.ascontiguousarray(frames.reshape(-1, channels).T)

    for block in blocks:
        if block.shape[1]:
            ready = convert(block, last=False)
            if ready.shape[1]:
                yield ready
    rest = convert(np.zeros((channels, 0)), last=True)
    if rest.shape[1]:
        yield rest


class Resampler:
    """soxr's stream, whose output is aligned with its input; nothing at equal rates."""

    def __init__(self, source_hz: float, target_hz: float, channels: int) -> None:
        self._channels = channels
        self._stream = (
            None
            if source_hz == target_hz
            else soxr.ResampleStream(source_hz, target_hz, channels, quality="VHQ")
        )

    def push(self, block: Samples) -> Samples:
        """Convert the next block; gives what is ready."""
        return block if self._stream is None else self._convert(block, last=False)

    def finish(self) -> Samples:
        """What is left when the stream has ended."""
        empty = np.zeros((self._channels, 0), np.float32)
        return empty if self._stream is None else self._convert(empty, last=True)

    def _convert(self, block: Samples, last: bool) -> Samples:
        assert self._stream is not None
        frames = np.ascontiguousarray(block.T, dtype=np.float32)
        return np.ascontiguousarray(
            self._stream.resample_chunk(frames, last=last).reshape(-1, self._channels).T
        )
