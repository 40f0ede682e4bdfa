"""Windows of a stream against slices of the whole."""

import numpy as np
import pytest

from neural_mastering.audio_io.windows import StreamWindows


@pytest.mark.parametrize("size", [1, 99, 100, 101, 250, 400, 1234])
def test_windows_are_slices_of_the_song_and_the_last_ends_with_it(size: int) -> None:
    rng = np.random.default_rng(size)
    audio = rng.standard_normal((2, size))
    windows, found, start = StreamWindows(44_100, 44_100, 100), [], 0
    while start < size:
        count = int(rng.integers(1, 70))
        found += list(windows.push(audio[:, start : start + count]))
        start += count
    found += list(windows.finish())
    expected = [audio[:, at : at + 100] for at in range(0, size - 99, 100)]
    if size % 100:
        expected.append(audio[:, max(size - 100, 0) :])
    assert len(found) == len(expected)
    for window, slice_ in zip(found, expected, strict=True):
        assert np.array_equal(window, slice_.astype(np.float32))
