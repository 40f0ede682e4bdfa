"""The unit in which audio streams: a block of samples."""

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float64]
"""(channel, time) in float64, full scale ±1, C-contiguous."""

BLOCK_SAMPLES = 1 << 16
