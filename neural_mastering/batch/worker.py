"""The process at the other end: takes work, gives rows, and ends with its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from neural_mastering.batch.run_work import run_work
from neural_mastering.batch.work import Work

_PR_SET_PDEATHSIG = 1
_LOOK_S = 0.5


def serve(connection: Connection) -> None:
    """Say that this process has started, then do what comes until nothing can come any more."""
    connection.send(None)
    while True:
        try:
            work: Work = connection.recv()
        except (EOFError, OSError):
            return
        try:
            connection.send(run_work(work))
        except OSError:
            return


def end_with(parent: int) -> None:
    """End this process when its parent does, even in the middle of a song.

    Linux sends the signal itself; elsewhere a thread looks twice a second whose child this is.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


def main() -> None:
    """Entry point of the process: a descriptor to read from and write to, and the parent's id."""
    end_with(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle
    serve(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    main()
