"""Printing to any console, where what its encoding can't show is replaced, and leaving a program at once."""

import atexit
import os
import sys
from typing import NoReturn


def tolerate_any_encoding() -> None:
    """Let standard output and error replace what they can't encode, instead of failing halfway through a table.

    Consoles and pipes may be in Latin-1 or code page 1252, and names of files need not be UTF-8.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def leave(code: int) -> NoReturn:
    """End the process with an exit code, its output flushed and what was registered with `atexit` done.

    Python would first take every module and every compiled loop apart, which takes longer than to load them; the
    system frees them in one go. All files must be closed, and no thread may still have work.
    """
    atexit._run_exitfuncs()  # as Python does before it takes anything apart
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # nobody reads it any more
            code = code or 1
    os._exit(code)
