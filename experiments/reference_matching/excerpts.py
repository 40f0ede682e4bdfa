"""Audio of the studies: 44.1 kHz, all of a file or its middle."""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.middle import read_middle

RATE = 44_100
Samples = NDArray[np.float64]


def read(path: Path, seconds: float | None = None) -> Samples:
    """(channel, time), of the middle of the file where a length is given."""
    samples, rate = read_middle(path, seconds)
    if rate != RATE:
        sys.exit(f"{path} has {rate} Hz: this study wants {RATE} Hz")
    return np.ascontiguousarray(samples.T, dtype=np.float64)
