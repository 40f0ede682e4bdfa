"""Ctrl-C and polite requests to end: each becomes a KeyboardInterrupt that arrives."""

import signal
import sys
from typing import Any

_asked = False


def listen_to_signals() -> None:
    """Ctrl-C and a polite request to end become a KeyboardInterrupt, once a second until it arrives.

    One that is raised while compiled code is loaded (a callback of C) or while an object is thrown away is
    forgotten by Python, and the program would go on. That Python prints those is suppressed.
    """
    for name in ("SIGINT", "SIGTERM", "SIGALRM"):
        number = getattr(signal, name, None)
        if (
            number is not None and signal.getsignal(number) != signal.SIG_IGN
        ):  # nohup, a job in the background
            signal.signal(number, _interrupt)
    sys.unraisablehook = _without_interrupts


def was_interrupted() -> bool:
    """Whether a signal came since `listen_to_signals`.

    An interrupt within the import of compiled modules may come out as another error (an ImportError by
    NumPy's C interface); who catches one should ask here first.
    """
    return _asked


def stop_asking() -> None:
    """The interrupt arrived, or the work is done: no further KeyboardInterrupt."""
    _ask_again_after(0.0)


def _interrupt(*_: object) -> None:
    global _asked
    _asked = True
    _ask_again_after(1.0)
    raise KeyboardInterrupt


def _ask_again_after(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _without_interrupts(unraisable: Any) -> None:
    if unraisable.exc_type is None or not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
