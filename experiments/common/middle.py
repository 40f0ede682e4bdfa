"""The middle of a song."""

from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

Kind = Literal["int32", "float32", "float64"]


def read_middle(
    path: Path, seconds: float | None, dtype: Kind = "float64", counted_at_hz: float | None = None
) -> tuple[np.ndarray, int]:
    """Samples (time, channel) of so many seconds from the middle of a file, all of a shorter one, and its rate.

    Args:
        path: of the file.
        seconds: to read; None reads all.
        dtype: of the samples; int32 keeps PCM as it is.
        counted_at_hz: rate at which the seconds are counted; by default the file's own.
    """
    with soundfile.SoundFile(path) as opened:
        frames = opened.frames
        if seconds is not None:
            frames = min(frames, round(seconds * (counted_at_hz or opened.samplerate)))
        opened.seek((opened.frames - frames) // 2)
        return opened.read(frames, dtype=dtype, always_2d=True), opened.samplerate


def copy_middle(source: Path, target: Path, seconds: float, subtype: str | None = None) -> None:
    """Write the middle of a file to another one, whose folder is made.

    Args:
        source, target: the files; the ending of the target gives its format.
        seconds: to copy.
        subtype: sample format of the target; by default that of the source, bit by bit.
    """
    samples, rate = read_middle(source, seconds, "int32" if subtype is None else "float64")
    target.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(target, samples, rate, subtype=subtype or soundfile.info(source).subtype)
