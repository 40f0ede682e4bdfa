"""Memory that one block gave back is kept for the next, and returned to the system between the passes."""

import os
from collections.abc import Callable

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of glibc's mallopt
_KEPT_BYTES = 32 << 20  # the most that glibc takes


def keep_freed_memory() -> None:
    """Tell glibc to keep what is freed up to 32 MiB, instead of asking the system for each block of audio anew.

    A block of audio is 1 MiB, above the size from which glibc maps and unmaps by itself; every page of it would be
    cleared and mapped again for every block. Elsewhere than on Linux, and where the environment sets these limits
    (MALLOC_MMAP_THRESHOLD_, MALLOC_TRIM_THRESHOLD_), nothing is done.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt = _glibc("mallopt")
    if mallopt is None:
        return
    mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
    mallopt(_TRIM_THRESHOLD, 2 * _KEPT_BYTES)


def return_freed_memory() -> None:
    """Give free memory back to the system, also that between what is still held and that of other threads.

    Each thread of glibc has its own heap, and what one pass freed there is of no use to the threads of the next.
    Elsewhere nothing is done.
    """
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc(name: str) -> Callable[..., int] | None:
    import ctypes  # --help stays quick

    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
