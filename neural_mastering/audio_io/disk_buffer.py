"""A temporary file that keeps a stream, so that an expensive chain runs once and memory stays flat."""

import errno
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import BLOCK_SAMPLES, Block
from neural_mastering.dsp import stream_kernels
from neural_mastering.errors import InputError


class DiskBuffer:
    """Blocks (channel, time) on disk as float32, in a file without a name that vanishes with the process."""

    def __init__(self, folder: Path, channels: int) -> None:
        self._channels = channels
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        except OSError as error:
            raise InputError(
                f"{folder} can't be written to ({error.strerror}): choose another place for the master"
            ) from error

    def keep(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Pass blocks on, as they will be read back."""
        for block in blocks:
            yield _as_block(self.append(block))

    def append(self, block: Block) -> NDArray[np.float32]:
        """Keep a block; returns what is kept, (time, channel)."""
        kept = np.empty(block.shape[::-1], np.float32)
        stream_kernels.alternating(np.ascontiguousarray(block, np.float64), kept.reshape(-1))
        try:
            self._file.write(kept.data)
        except OSError as error:
            reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
            raise InputError(
                f"a temporary file beside the master can't be written ({reason}): free some space, or "
                "choose another place"
            ) from error
        return kept

    def restart(self) -> None:
        """Forget what was kept."""
        self._file.seek(0)
        self._file.truncate()

    def blocks(self) -> Iterator[Block]:
        """All blocks again."""
        self._file.seek(0)
        size = 4 * self._channels * BLOCK_SAMPLES
        while data := self._file.read(size):
            yield _as_block(np.frombuffer(data, np.float32).reshape(-1, self._channels))

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()

    def __enter__(self) -> "DiskBuffer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _as_block(frames: NDArray[np.float32]) -> Block:
    """Frames (time, channel) as a block."""
    block = np.empty(frames.shape[::-1])
    stream_kernels.planes(frames.reshape(-1), 1.0, block)
    return block
