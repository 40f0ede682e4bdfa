"""The largest sample of every few milliseconds of a stream."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp import peak_kernels
from neural_mastering.metering.row_store import RowStore


class CellPeaks:
    """Reads blocks (channel, time); `finish` gives the largest |sample| of any channel in each cell, (cell,).

    They are kept in float32, which holds samples of 24 bits: an hour of 1 ms cells is 14 MB. `highest` and `runs`
    need no second copy of them.

    Args:
        cell_samples: length of a cell; the last one may be shorter.
    """

    def __init__(self, cell_samples: int) -> None:
        self._cell = cell_samples
        self._peaks = RowStore(1, np.float32)
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
        self._peaks.append(peaks[:, None])

    def close(self) -> None:
        """The last cell is complete; nothing may be pushed after it."""
        if self._position % self._cell:
            self._peaks.append(np.array([[self._open]]))
            self._position = 0

    def finish(self) -> NDArray[np.float32]:
        """The peaks of all blocks; nothing may be pushed after it."""
        self.close()
        return self._peaks.columns()[0]

    def changes(self, level: float) -> NDArray[np.int64]:
        """Where complete cells begin and cease to be higher than a level, in turn."""
        found, before, first = [], False, 0
        for piece in self._pieces():
            changed = np.flatnonzero(np.diff(piece > level, prepend=before))
            found.append(changed + first)
            before, first = bool(piece[-1] > level), first + piece.size
        return np.concatenate([*found, np.full(int(before), first)]).astype(np.int64)

    def highest(self, start: int = 0, stop: int | None = None) -> float:
        """The largest of the complete cells from `start` to before `stop`; 0 where there is none."""
        found, first = 0.0, 0
        for piece in self._pieces():
            inside = piece[max(start - first, 0) : None if stop is None else max(stop - first, 0)]
            found = max(found, float(inside.max(initial=0.0)))
            first += piece.size
        return found

    def _pieces(self) -> Iterator[NDArray[np.float32]]:
        return (piece[:, 0] for piece in self._peaks.pieces())
