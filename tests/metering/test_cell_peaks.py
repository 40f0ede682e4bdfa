"""Peaks of cells against numpy."""

import numpy as np
import pytest

from neural_mastering.metering.cell_peaks import CellPeaks


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("size", [0, 1, 7, 700, 701, 1003])
def test_peaks_are_those_of_whole_cells_however_the_stream_is_cut(size: int, channels: int) -> None:
    rng = np.random.default_rng(size)
    audio = rng.standard_normal((channels, size)).astype(np.float32).astype(np.float64)
    cells = CellPeaks(7)
    start = 0
    while start < size:
        count = int(rng.integers(0, 40))
        cells.push(audio[:, start : start + count])
        start += count
    loudest = np.abs(audio).max(axis=0, initial=0.0)
    expected = [loudest[at : at + 7].max() for at in range(0, size, 7)]
    assert cells.finish().tolist() == expected
    for start, stop in rng.integers(0, len(expected) + 2, (20, 2)).tolist():
        assert cells.highest(start, stop) == max(expected[start:stop], default=0.0)
    assert cells.highest() == max(expected, default=0.0)
    level = float(np.median(expected)) if expected else 0.0
    heard = np.pad([peak > level for peak in expected], 1)
    assert cells.changes(level).tolist() == np.flatnonzero(np.diff(heard)).tolist()
