"""Keeps freed memory for the next step instead of giving it back to the system."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8


def keep_freed_memory() -> bool:
    """Tell glibc not to return large freed blocks; True if it took the setting.

    A training step frees and takes hundreds of megabytes of activations. By default glibc maps each large
    block anew, and the kernel fills every page with zeros on first touch: a fifth of a phase 1C step on a CPU
    (`benchmarks/README.md`). The process then stays as large as its largest step. Other C libraries and other
    systems are left alone.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):  # musl has another allocator
        return False
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_ARENA_MAX, 1))
    return all([library.mallopt(name, value) == 1 for name, value in settings])
