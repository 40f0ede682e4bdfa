"""Rows of numbers that arrive with a stream, kept in pieces of a fixed size."""

from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

_PIECE_BYTES = 1 << 20
"""Many small arrays between others would leave holes that nothing larger fits into."""

Number = TypeVar("Number", np.float32, np.float64)


class RowStore(Generic[Number]):
    """Keeps rows; takes what they need and at most 1 MiB more.

    Args:
        width: numbers in a row.
        dtype: float32 or float64.
    """

    def __init__(self, width: int, dtype: type[Number]) -> None:
        self._width, self._dtype = width, dtype
        self.piece_rows = max(_PIECE_BYTES // (width * np.dtype(dtype).itemsize), 1)
        self._pieces: list[NDArray[Number]] = []
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, rows: NDArray[np.floating]) -> None:
        """Keep rows (row, width)."""
        start = 0
        while start < len(rows):
            place = self._rows % self.piece_rows
            if place == 0:
                self._pieces.append(np.empty((self.piece_rows, self._width), self._dtype))
            count = min(len(rows) - start, self.piece_rows - place)
            self._pieces[-1][place : place + count] = rows[start : start + count]
            self._rows += count
            start += count

    def pieces(self) -> Iterator[NDArray[Number]]:
        """The rows in order, `piece_rows` at a time but for the last piece."""
        for number, piece in enumerate(self._pieces):
            yield piece[: self._rows - number * self.piece_rows]

    def columns(self) -> NDArray[Number]:
        """All of them as (width, row)."""
        joined = np.empty((self._width, self._rows), self._dtype)
        for number, piece in enumerate(self.pieces()):
            start = number * self.piece_rows
            joined[:, start : start + len(piece)] = piece.T
        return joined
