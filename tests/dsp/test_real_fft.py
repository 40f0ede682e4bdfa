"""The FFT is scipy's to the bit, with and without its own module."""

import numpy as np
import pytest
import scipy.fft

from neural_mastering.dsp import real_fft


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(2, 3, 512), (1, 1_000), (7,)])
@pytest.mark.parametrize("direct", [True, False])
def test_it_is_that_of_scipy(
    kind: type, shape: tuple[int, ...], direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not direct:
        monkeypatch.setattr(real_fft, "_pocketfft", lambda: None)
    x = np.random.default_rng(0).standard_normal(shape).astype(kind)
    found, expected = real_fft.rfft(x), np.asarray(scipy.fft.rfft(x, axis=-1))
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_views_are_transformed_as_they_are_seen() -> None:
    x = np.random.default_rng(1).standard_normal(400).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(x, 64)[::16]
    np.testing.assert_array_equal(real_fft.rfft(frames), scipy.fft.rfft(frames, axis=-1))


def test_fast_sizes_are_those_of_scipy() -> None:
    for size in range(1, 700):
        assert real_fft.is_fast_size(size) == (scipy.fft.next_fast_len(size, real=True) == size)
