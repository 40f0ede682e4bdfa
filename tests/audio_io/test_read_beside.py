"""Several readers of one stream, each in its thread."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.prefetch import read_beside


class _Sum:
    def __init__(self, fail_at: int = -1) -> None:
        self.seen: list[float] = []
        self._fail_at = fail_at

    def push(self, block: Block) -> None:
        if len(self.seen) == self._fail_at:
            time.sleep(0.05)  # the stream has ended by then
            raise ValueError("broken reader")
        self.seen.append(float(block[0, 0]))


def _blocks(count: int) -> Iterator[Block]:
    for number in range(count):
        yield np.full((1, 4), float(number))


def test_all_read_all_blocks_in_order() -> None:
    readers = [_Sum(), _Sum()]
    passed = [float(block[0, 0]) for block in read_beside(_blocks(50), readers)]
    assert passed == readers[0].seen == readers[1].seen == [float(n) for n in range(50)]


def test_an_error_of_a_reader_comes_out() -> None:
    with pytest.raises(ValueError, match="broken reader"):
        list(read_beside(_blocks(1_000), [_Sum(), _Sum(fail_at=3)]))


def test_an_error_of_the_last_block_is_not_lost() -> None:
    with pytest.raises(ValueError, match="broken reader"):
        list(read_beside(_blocks(4), [_Sum(fail_at=3)]))


def test_no_thread_is_left_where_the_stream_is_left() -> None:
    before = threading.active_count()
    stream = read_beside(_blocks(1_000), [_Sum()])
    next(stream)
    stream.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert threading.active_count() == before
