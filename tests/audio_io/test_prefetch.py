"""Blocks computed ahead in a second thread."""

import itertools
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.errors import InputError
from tests.rendering.conftest import cut, music


def test_blocks_come_in_order_with_their_errors_and_the_thread_ends_with_its_reader() -> None:
    audio = music(1.0)
    assert np.array_equal(np.concatenate(list(prefetch(iter(cut(audio)))), axis=1), audio)

    def broken() -> Iterator[np.ndarray]:
        yield audio
        raise InputError("damaged")

    blocks = prefetch(broken())
    assert next(blocks) is audio
    with pytest.raises(InputError, match="damaged"):
        next(blocks)
    before = threading.active_count()
    endless = prefetch(itertools.repeat(audio))
    next(endless)
    endless.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert threading.active_count() == before
