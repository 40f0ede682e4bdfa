"""Printing to any console: closed or full, in any encoding; and leaving a program at once."""

import atexit
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn


def prepare_streams() -> None:
    """Make standard output and error safe to print to.

    What their encoding can't show is replaced, instead of failing halfway through a table: consoles and pipes may
    be in Latin-1 or code page 1252, and names of files need not be UTF-8. Where one was closed (`>&-`), what is
    printed goes nowhere; its descriptor is taken, so that no song is opened under it and overwritten by the notes
    of a library.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until the end
            setattr(sys, name, nowhere)
        reconfigure = getattr(getattr(sys, name), "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def flush_streams() -> str | None:
    """Flush standard output and error; says which can't be written to and why, or None. Such a one is given up.

    A reader that went away (`| head`) is no reason to say anything: the text is empty then.
    """
    trouble: list[str] = []
    for name, stream in (("standard output", sys.stdout), ("standard error", sys.stderr)):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            trouble.append("")
        except (OSError, ValueError) as error:
            trouble.append(f"{name} can't be written to: {getattr(error, 'strerror', None) or error}")
        else:
            continue
        _give_up(stream)
    return max(trouble, default=None)


def _give_up(stream: object) -> None:
    """Send what is still in a stream's buffer nowhere, or Python would complain at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # pyright: ignore[reportAttributeAccessIssue]
        os.close(nowhere)


@contextlib.contextmanager
def tolerating_streams() -> Iterator[None]:
    """Go on where a message can't be printed."""
    try:
        yield
    except (OSError, ValueError):
        flush_streams()


def leave(code: int) -> NoReturn:
    """End the process with an exit code, its output flushed and what was registered with `atexit` done.

    Python would first take every module and every compiled loop apart, which takes longer than to load them; the
    system frees them in one go. All files must be closed, and no thread may still have work.
    """
    atexit._run_exitfuncs()  # as Python does before it takes anything apart
    if flush_streams() is not None:  # nobody reads it any more
        code = code or 1
    os._exit(code)
