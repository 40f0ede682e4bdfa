"""A decoded song on disk: any range of its samples at once, however it was encoded."""

from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from neural_mastering.atomic import reason, replacing
from neural_mastering.audio_io.block import BLOCK_SAMPLES, Block
from neural_mastering.errors import InputError

MOST_FRAMES = 1 << 20
"""What one request may ask for: 24 s at 44.1 kHz, 8 MiB."""

_WAV_LIMIT = 4_200_000_000  # bytes; a RIFF header counts up to 2³² − 1


class PcmCache:
    """A WAV file in 32-bit float (RF64 from 4 GiB on) that a browser may also play by ranges.

    Args:
        path: of the file that `keep_blocks` wrote.

    Attributes:
        path: as given.
        sample_rate: in Hz.
        channels: 1 or 2.
        frames: samples per channel.

    Raises:
        InputError: no such file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            info = soundfile.info(str(self.path))
        except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
            raise InputError(f"{self.path} can't be read: add the song again") from error
        self.sample_rate, self.channels, self.frames = (
            int(info.samplerate),
            int(info.channels),
            int(info.frames),
        )

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """Samples (frame, channel) from `start` on; fewer at the end of the song. Any thread may ask.

        Raises:
            InputError: a start outside the song, or less than one or more than `MOST_FRAMES` samples.
        """
        if not 0 <= start <= self.frames:
            raise InputError(f"start {start}: expected 0 to {self.frames}, the samples of the song")
        if not 1 <= frames <= MOST_FRAMES:
            raise InputError(f"frames {frames}: expected 1 to {MOST_FRAMES}")
        return self._part(start, frames)

    def read_bytes(self, start: int, frames: int) -> bytes:
        """The same as little-endian float32, interleaved."""
        return self.read(start, frames).astype("<f4", copy=False).tobytes()

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[Block]:
        """Samples `start` to `stop` as a stream."""
        stop = self.frames if stop is None else min(stop, self.frames)
        for first in range(start, stop, BLOCK_SAMPLES):
            part = self._part(first, min(BLOCK_SAMPLES, stop - first))
            yield np.ascontiguousarray(part.T, dtype=np.float64)

    def _part(self, start: int, frames: int) -> NDArray[np.float32]:
        with soundfile.SoundFile(str(self.path)) as file:
            file.seek(start)
            return np.asarray(file.read(frames, dtype="float32", always_2d=True), dtype=np.float32)


def keep_blocks(
    blocks: Iterator[Block], path: str | Path, sample_rate: int, channels: int, frames: int = 0
) -> Generator[Block, None, None]:
    """Pass a song's blocks on while they are written to a cache; it appears when the last one has passed.

    Nothing is left behind where the stream ends early.

    Args:
        blocks: of the song.
        path: of the cache.
        sample_rate: in Hz.
        channels: 1 or 2.
        frames: about how many samples will come; a file of 4 GB or more needs another header.

    Raises:
        InputError: the file can't be written.
    """
    container = "RF64" if 4 * channels * frames > _WAV_LIMIT else "WAV"
    with replacing(path) as draft:
        try:
            with soundfile.SoundFile(
                str(draft), "w", sample_rate, channels, "FLOAT", format=container
            ) as file:
                for block in blocks:
                    file.write(np.ascontiguousarray(block.T, dtype=np.float32))
                    yield block
        except soundfile.LibsndfileError as error:
            raise InputError(f"{path} can't be written: {reason(Path(path), error)}") from error
