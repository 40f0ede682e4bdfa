"""An audio file's samples in pieces, checked while they are read."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import soundfile

from neural_mastering.audio_io.sound_source import sound_source
from neural_mastering.data.audio_file import AudioFile
from neural_mastering.data.errors import DataError

PIECE_FRAMES = 1 << 16


def decode(file: AudioFile, dtype: Literal["float32", "float64"]) -> Iterator[np.ndarray]:
    """Pieces (time, channel) of a file at its own rate; full scale is 1.

    Raises:
        DataError: damaged, shorter than its header says, or NaN or infinite samples; with the place in seconds.
    """
    done = 0
    try:
        with soundfile.SoundFile(sound_source(file.path)) as source:
            while len(piece := source.read(PIECE_FRAMES, dtype=dtype, always_2d=True)):
                bad = ~np.isfinite(piece).all(axis=1)
                if bad.any():
                    at_s = (done + int(bad.argmax())) / file.sample_rate
                    raise DataError(
                        f"{file.path} holds NaN or infinite samples at {at_s:.3f} s: export it again"
                    )
                done += len(piece)
                yield piece
    except soundfile.LibsndfileError as error:
        raise DataError(f"{file.path} is damaged after {done / file.sample_rate:.3f} s ({error})") from error
    if done != file.frames:
        raise DataError(
            f"{file.path} is damaged: its header promises {file.frames} samples, {done} could be read. "
            "Export it again, or remove it"
        )
