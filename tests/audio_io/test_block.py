"""Samples in memory as a stream, and back."""

import numpy as np
import pytest

from neural_mastering.audio_io.block import BLOCK_SAMPLES, blocks_of, joined


@pytest.mark.parametrize("frames", [0, 1, BLOCK_SAMPLES, 2 * BLOCK_SAMPLES + 5])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_cut_stream_joins_to_what_it_was(frames: int, channels: int) -> None:
    samples = np.random.default_rng(0).standard_normal((channels, frames)).astype(np.float32)
    blocks = list(blocks_of(samples))
    assert all(block.dtype == np.float64 and block.flags.c_contiguous for block in blocks)
    assert [block.shape[1] for block in blocks[:-1]] == [BLOCK_SAMPLES] * (len(blocks) - 1)
    back = joined(blocks, channels)
    assert back.shape == samples.shape and np.array_equal(back, samples)


def test_blocks_may_be_of_any_size() -> None:
    samples = np.arange(20.0).reshape(2, 10)
    assert [block.shape[1] for block in blocks_of(samples, 4)] == [4, 4, 2]
    assert np.array_equal(joined(blocks_of(samples, 3), 2), samples)
