"""Printing to any console: what its encoding can't show is replaced."""

import sys


def tolerate_any_encoding() -> None:
    """Let standard output and error replace what they can't encode, instead of failing halfway through a table.

    Consoles and pipes may be in Latin-1 or code page 1252, and names of files need not be UTF-8.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
