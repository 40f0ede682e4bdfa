"""The largest sample of every few milliseconds of a stream."""

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp import peak_kernels


class CellPeaks:
    """Reads blocks (channel, time); `finish` gives the largest |sample| of any channel in each cell, (cell,).

    They are kept block by block in float32, which holds samples of 24 bits: an hour of 1 ms cells is 14 MB, and
    `highest` and `above` need no second copy of them.

    Args:
        cell_samples: length of a cell; the last one may be shorter.
    """

    def __init__(self, cell_samples: int) -> None:
        self._cell = cell_samples
        self._parts: list[NDArray[np.float32]] = []
        self._starts: list[int] = []
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
        self._append(peaks.astype(np.float32))

    def close(self) -> None:
        """The last cell is complete; nothing may be pushed after it."""
        if self._position % self._cell:
            self._append(np.array([self._open], np.float32))
            self._position = 0

    def finish(self) -> NDArray[np.float32]:
        """The peaks of all blocks; nothing may be pushed after it."""
        self.close()
        return np.concatenate(self._parts) if self._parts else np.zeros(0, np.float32)

    def above(self, level: float) -> NDArray[np.bool_]:
        """Which of the complete cells are higher than a level, (cell,)."""
        return (
            np.concatenate([part > level for part in self._parts]) if self._parts else np.zeros(0, np.bool_)
        )

    def highest(self, start: int = 0, stop: int | None = None) -> float:
        """The largest of the complete cells from `start` to before `stop`; 0 where there is none."""
        found = 0.0
        number = max(bisect_right(self._starts, start) - 1, 0)
        for first, part in zip(self._starts[number:], self._parts[number:], strict=True):
            if stop is not None and first >= stop:
                break
            inside = part[max(start - first, 0) : None if stop is None else stop - first]
            found = max(found, float(inside.max(initial=0.0)))
        return found

    def _append(self, peaks: NDArray[np.float32]) -> None:
        self._starts.append(self._starts[-1] + self._parts[-1].size if self._parts else 0)
        self._parts.append(peaks)
