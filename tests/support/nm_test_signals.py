"""Signals of started programs."""

import signal


def heed_interrupts() -> None:
    """A job in the background of a shell starts with Ctrl-C ignored, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
