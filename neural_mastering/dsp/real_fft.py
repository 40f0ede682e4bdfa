"""The real FFT of pocketfft and its inverse, as in `scipy.fft`, without waiting for the rest of `scipy.fft`.

`import scipy.fft` also loads scipy's special functions, which takes longer than all of the FFTs of a short song.
The compiled module alone loads in a millisecond; where it is not found at its usual place, `scipy.fft` is taken.
"""

import importlib.machinery
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def rfft(x: NDArray[np.floating[Any]]) -> NDArray[np.complexfloating[Any, Any]]:
    """Spectrum (…, n//2 + 1) of real x (…, n) along its last axis, in the precision of x.

    Examples:
        >>> rfft(np.array([1.0, 0.0, 0.0, 0.0]))
        array([1.+0.j, 1.+0.j, 1.+0.j])
    """
    pocketfft = _pocketfft()
    if pocketfft is not None:
        return pocketfft.r2c(x, (x.ndim - 1,), True, 0, None, 1)
    import scipy.fft  # see the module

    return np.asarray(scipy.fft.rfft(x, axis=-1))


def irfft(spectra: NDArray[np.complexfloating[Any, Any]], size: int) -> NDArray[np.floating[Any]]:
    """The real signals (…, size) of spectra (…, size//2 + 1), in their precision; undoes `rfft`.

    Examples:
        >>> irfft(rfft(np.array([1.0, 2.0, 0.0, 0.0])), 4)
        array([1., 2., 0., 0.])
    """
    pocketfft = _pocketfft()
    if pocketfft is not None:
        return pocketfft.c2r(spectra, (spectra.ndim - 1,), size, False, 2, None, 1)
    import scipy.fft  # see the module

    return np.asarray(scipy.fft.irfft(spectra, size, axis=-1))


def is_fast_size(size: int) -> bool:
    """Whether a size above 0 has no prime factor above 5, so that the FFT is fast at it.

    Examples:
        >>> [size for size in range(10, 20) if is_fast_size(size)]
        [10, 12, 15, 16, 18]
    """
    for factor in (2, 3, 5):
        while size % factor == 0:
            size //= factor
    return size == 1


@lru_cache(maxsize=1)
def _pocketfft() -> Any:
    """scipy's compiled module; None where it can't be had, or does not give what it should."""
    found = importlib.util.find_spec("scipy")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "fft" / "_pocketfft"
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = folder / f"pypocketfft{suffix}"
        if not path.is_file():
            continue
        try:
            spec = importlib.util.spec_from_file_location("pypocketfft", path)
            if spec is None or spec.loader is None:
                return None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            probe = module.r2c(np.ones((1, 4), np.float32), (1,), True, 0, None, 1)
            return module if probe.shape == (1, 3) and probe[0, 0] == 4.0 else None
        except (ImportError, AttributeError, TypeError, ValueError):  # another version of scipy
            return None
    return None
