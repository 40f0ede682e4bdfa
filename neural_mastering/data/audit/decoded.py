"""A whole file as samples to seek in, with its faults found on the way."""

import tempfile
from pathlib import Path

import numpy as np
import soundfile

from neural_mastering.audio_io.sound_source import sound_source
from neural_mastering.data.audio_file import AudioFile
from neural_mastering.data.audit.side import ArraySide
from neural_mastering.data.errors import DataError

IN_MEMORY_BYTES = 400_000_000
"""Longer sides (20 minutes of stereo at 44.1 kHz) go to a temporary file that the system pages in and out."""

_CHUNK_FRAMES = 1 << 17


def decoded(file: AudioFile) -> ArraySide:
    """The file as float32 (time, channel).

    Raises:
        DataError: damaged, cut short, or with NaN or infinite samples; says where.
    """
    shape = (file.frames, file.channels)
    if file.frames * file.channels * 4 <= IN_MEMORY_BYTES:
        samples = np.empty(shape, dtype=np.float32)
    else:
        with tempfile.TemporaryFile(prefix="nm-data-") as spool:  # gone when the map is
            samples = np.memmap(spool, np.float32, "w+", shape=shape)
    done = 0
    name = Path(file.path).name
    try:
        with soundfile.SoundFile(sound_source(file.path)) as source:
            while done < file.frames:
                chunk = source.read(out=samples[done : done + _CHUNK_FRAMES])
                if not len(chunk):
                    break
                bad = ~np.isfinite(chunk).all(axis=1)
                if bad.any():
                    at_s = (done + int(bad.argmax())) / file.sample_rate
                    raise DataError(f"{name} holds NaN or infinite samples at {at_s:.3f} s")
                done += len(chunk)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise DataError(f"{name} is damaged after {done / file.sample_rate:.3f} s ({error})") from error
    if done != file.frames:
        raise DataError(f"{name} is damaged: its header promises {file.frames} samples, {done} could be read")
    return ArraySide(samples, file.sample_rate)
