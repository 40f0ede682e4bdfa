"""A stream at another sample rate."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from neural_mastering.audio_io.block import Block


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
