"""A process that does one unit of work at a time, and can be ended without harm to the others."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

from neural_mastering.batch.run_work import scratch_folder
from neural_mastering.batch.work import Row, Work

_START_S = 600.0
"""For a fresh interpreter on a busy machine; the time of the song begins after it."""

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class SongProcess:
    """A fresh interpreter at the other end of a pipe; it ends with the process that started it.

    Attributes:
        connection: readable when rows, or its end, have come.
        work: what it is doing, None when idle.
        deadline: `time.monotonic` at which the work is late; before the process has started, at which that is late.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        environment = os.environ | {name: os.environ.get(name, "1") for name in _THREADS}
        command = [
            sys.executable,
            "-m",
            "neural_mastering.batch.worker",
            str(theirs.fileno()),
            str(os.getpid()),
        ]
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=environment
        )
        theirs.close()
        self.connection = Connection(ours.detach())
        self.work: Work | None = None
        self._is_ready = False
        self.started = self.deadline = 0.0

    def give(self, work: Work) -> None:
        """Start on something.

        Raises:
            OSError: the process is gone.
        """
        self.work, self.started = work, time.monotonic()
        self.deadline = self.started + (work.time_limit_s if self._is_ready else _START_S)
        self.connection.send(work)

    def take(self) -> list[Row] | None:
        """The rows of the work that is done, or None: the process has started, and its time begins.

        Raises:
            EOFError, OSError: the process is gone.
        """
        rows = self.connection.recv()
        if rows is None:
            self._is_ready = True
            if self.work is not None:
                self.started = time.monotonic()
                self.deadline = self.started + self.work.time_limit_s
            return None
        self.work = None
        return rows

    @property
    def seconds(self) -> float:
        """Since the work was given."""
        return time.monotonic() - self.started

    @property
    def resident_bytes(self) -> int:
        """Memory that it occupies; 0 where the system does not tell."""
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def exit_text(self) -> str:
        """How it ended, once it has."""
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End it at once, with what it had begun."""
        self._process.kill()
        self._process.wait()
        self.connection.close()
        if self.work is not None:
            shutil.rmtree(scratch_folder(self.work, self._process.pid), ignore_errors=True)
