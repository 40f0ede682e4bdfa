"""The temporary file that keeps a stream."""

from pathlib import Path

import numpy as np
import pytest

from neural_mastering.audio_io.disk_buffer import DiskBuffer
from neural_mastering.errors import InputError
from tests.rendering.conftest import cut, music


def test_the_buffer_gives_back_what_it_passed_on(tmp_path: Path) -> None:
    buffer = DiskBuffer(tmp_path, 2)
    audio = music(2.0)
    passed = np.concatenate(list(buffer.keep(iter(cut(audio)))), axis=1)
    again = np.concatenate(list(buffer.blocks()), axis=1)
    assert np.array_equal(passed, again) and np.array_equal(passed, audio.astype(np.float32))
    assert list(tmp_path.iterdir()) == [] or all(p.stat().st_size for p in tmp_path.iterdir())
    buffer.close()
    assert list(tmp_path.iterdir()) == []


def test_it_can_be_read_any_number_of_times_and_closes_itself(tmp_path: Path) -> None:
    audio = music(2.0, channels=1)
    with DiskBuffer(tmp_path, 1) as buffer:
        assert sum(block.shape[1] for block in buffer.keep(iter(cut(audio)))) == audio.shape[1]
        for _ in range(2):
            assert np.array_equal(np.concatenate(list(buffer.blocks()), axis=1), audio.astype(np.float32))
    with pytest.raises(ValueError, match="closed"):
        next(buffer.blocks())


def test_a_folder_that_cannot_hold_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent can't be written to"):
        DiskBuffer(tmp_path / "absent", 2)
