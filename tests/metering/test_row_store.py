"""Rows in pieces against numpy."""

import numpy as np
import pytest

from neural_mastering.metering.row_store import RowStore


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 8, 1 << 20])
def test_rows_come_back_in_order(width: int, dtype: type) -> None:
    rng = np.random.default_rng(width)
    store = RowStore(width, dtype)
    assert store.columns().shape == (width, 0) and len(store) == 0
    count = 2 * store.piece_rows + 3
    rows = rng.standard_normal((count, width)).astype(dtype)
    start = 0
    while start < count:
        step = int(rng.integers(1, store.piece_rows + 1))
        store.append(rows[start : start + step])
        start += step
    assert len(store) == count
    assert np.array_equal(np.concatenate(list(store.pieces())), rows)
    assert np.array_equal(store.columns(), rows.T) and store.columns().dtype == dtype
    assert [len(piece) for piece in store.pieces()][:-1] == [store.piece_rows] * (
        (count - 1) // store.piece_rows
    )
