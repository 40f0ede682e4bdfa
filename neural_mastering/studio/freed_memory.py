"""Memory that a task took and freed goes back to the system."""

import ctypes
import gc
import sys


def give_memory_back() -> bool:
    """Tell glibc to return what is free on its heaps; True if there was any.

    A song of an hour needs 160 MB for a moment, in arrays that are small enough for the heap, and glibc keeps
    what they leave free between the objects that stay. Other C libraries and other systems are left alone.
    """
    gc.collect()
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    return hasattr(library, "malloc_trim") and library.malloc_trim(0) == 1
