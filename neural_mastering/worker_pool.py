"""One function over many items in several processes, which end at once when the main one is interrupted."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

from neural_mastering.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_jobs() -> int:
    """One process a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_jobs(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int = 1,
    done: Callable[[Result], None] | None = None,
    start: Callable[[], None] | None = None,
) -> list[Result]:
    """work(item) for each, in up to `jobs` processes; results in the order of the items.

    Args:
        work: importable by name, since the processes are fresh interpreters.
        items: what it is given.
        jobs: processes at most; with one, or one item, everything happens in this process.
        done: called with each result as it comes.
        start: called once in each process before its first item.

    Raises:
        InputError: a process died, as it does when memory runs out.
    """
    say = done or (lambda _: None)
    results: list[Result] = []
    if jobs <= 1 or len(items) <= 1:
        for item in items:
            results.append(work(item))
            say(results[-1])
        return results
    with _pool(min(jobs, len(items)), start) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in as_completed(futures):
                say(future.result())
        except BrokenProcessPool as error:
            raise InputError(
                "a process was ended from outside, perhaps for want of memory: try fewer at once (--jobs 1)"
            ) from error
        return [future.result() for future in futures]


@contextmanager
def _pool(jobs: int, start: Callable[[], None] | None) -> Iterator[ProcessPoolExecutor]:
    # fresh interpreters: forks of a process with threads can hang
    pool = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(start,)
    )
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        processes = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        raise


def _start_worker(start: Callable[[], None] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle
    if start is not None:
        start()
