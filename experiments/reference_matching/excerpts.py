"""Audio of the studies: 44.1 kHz, all of a file or its middle."""

import sys
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 44_100
Samples = NDArray[np.float64]


def read(path: Path, seconds: float | None = None) -> Samples:
    """(channel, time), of the middle of the file where a length is given."""
    frames = soundfile.info(path).frames
    length = frames if seconds is None else min(frames, round(seconds * RATE))
    start = (frames - length) // 2
    samples, rate = soundfile.read(path, always_2d=True, start=start, frames=length)
    if rate != RATE:
        sys.exit(f"{path} has {rate} Hz: this study wants {RATE} Hz")
    return np.ascontiguousarray(samples.T, dtype=np.float64)
