"""The largest sample of every few milliseconds of a stream."""

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp import peak_kernels


class CellPeaks:
    """Reads blocks (channel, time); `finish` gives the largest |sample| of any channel in each cell, (cell,).

    Args:
        cell_samples: length of a cell; the last one may be shorter.
    """

    def __init__(self, cell_samples: int) -> None:
        self._cell = cell_samples
        self._peaks = bytearray()  # float32: grows in place, and an hour of 1 ms cells is 14 MB
        self._open, self._position = 0.0, 0

    def push(self, block: Block) -> None:
        """Read the next block."""
        if not block.shape[1]:
            return
        inside = self._position % self._cell
        peaks = np.zeros((inside + block.shape[1] - 1) // self._cell + 1)
        peaks[0] = self._open
        peak_kernels.largest_per_cell(np.ascontiguousarray(block), inside, self._cell, peaks)
        self._position += block.shape[1]
        self._open = 0.0
        if self._position % self._cell:
            self._open = float(peaks[-1])
            peaks = peaks[:-1]
        self._peaks += peaks.astype(np.float32).tobytes()

    def finish(self) -> NDArray[np.float32]:
        """The peaks of all blocks, in float32, which holds samples of 24 bits; nothing may be pushed after it."""
        if self._position % self._cell:
            self._peaks += np.float32(self._open).tobytes()
            self._position = 0
        return np.frombuffer(self._peaks, np.float32)
