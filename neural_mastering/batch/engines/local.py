"""Processes of this machine, each ended and replaced when its song takes too long or too much memory."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from multiprocessing.connection import wait

from neural_mastering.batch.run_work import failed_rows
from neural_mastering.batch.song_process import SongProcess
from neural_mastering.batch.work import Row, Work

_LOOK_S = 0.25
_ATTEMPTS = 2
_TIRED_SHARE = 0.5
"""A process that keeps more than this share of its memory limit between songs is replaced."""


class LocalEngine:
    """Up to `jobs` songs at once.

    Args:
        jobs: processes.
        memory_bytes: limit of each; 0 for none.
        stays: the processes stay for the next `run`, until `close`.
    """

    keeps_rows = False

    def __init__(self, jobs: int = 1, memory_bytes: int = 0, stays: bool = False) -> None:
        self._jobs, self._memory_bytes, self._stays = jobs, memory_bytes, stays
        self._workers: list[SongProcess] = []

    def run(self, works: Iterable[Work]) -> Generator[list[Row], None, None]:
        """As in `Engine`."""
        coming, again = iter(works), list[Work]()
        attempts: dict[str, int] = {}
        try:
            while True:
                self._fill(coming, again)
                busy = [worker for worker in self._workers if worker.work is not None]
                if not busy:
                    return
                ready = set(wait([worker.connection for worker in busy], timeout=_LOOK_S))
                for worker in busy:
                    if worker.connection in ready:
                        yield from self._taken(worker, again, attempts)
                    else:
                        yield from self._checked(worker)
        except BaseException:
            self.close()
            raise
        finally:
            if not self._stays:
                self.close()

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.kill()
        self._workers = []

    def _fill(self, coming: Iterator[Work], again: list[Work]) -> None:
        """Give work to whoever has none."""
        idle = [worker for worker in self._workers if worker.work is None]
        for place in range(len(idle) + self._jobs - len(self._workers)):
            work = again.pop() if again else next(coming, None)
            if work is None:
                return
            worker = idle[place] if place < len(idle) else self._started()
            try:
                worker.give(work)
            except OSError:  # it died idle
                self._remove(worker)
                self._started().give(work)

    def _started(self) -> SongProcess:
        self._workers.append(SongProcess())
        return self._workers[-1]

    def _remove(self, worker: SongProcess) -> None:
        worker.kill()
        self._workers.remove(worker)

    def _taken(self, worker: SongProcess, again: list[Work], attempts: dict[str, int]) -> Iterator[list[Row]]:
        work, seconds = worker.work, worker.seconds
        assert work is not None
        try:
            rows = worker.take()
        except (EOFError, OSError):
            how = worker.exit_text
            self._remove(worker)
            attempts[work.id] = attempts.get(work.id, 0) + 1
            if attempts[work.id] < _ATTEMPTS:
                again.append(work)
                return
            text = f"the process that worked on it ended ({how}) on each of {_ATTEMPTS} attempts"
            yield failed_rows(work, "died", text, seconds)
            return
        if rows is None:
            return
        if self._memory_bytes and worker.resident_bytes > _TIRED_SHARE * self._memory_bytes:
            self._remove(worker)
        yield rows

    def _checked(self, worker: SongProcess) -> Iterator[list[Row]]:
        """End a worker that is late or too large."""
        work, seconds = worker.work, worker.seconds
        assert work is not None
        if time.monotonic() > worker.deadline:
            self._remove(worker)
            text = f"it took longer than {work.time_limit_s:g} s: see --time-limit"
            yield failed_rows(work, "timeout", text, seconds)
        elif self._memory_bytes and worker.resident_bytes > self._memory_bytes:
            self._remove(worker)
            text = f"it needed more than {self._memory_bytes / 1e9:.3g} GB of memory: see --memory-limit-gb"
            yield failed_rows(work, "memory", text, seconds)
