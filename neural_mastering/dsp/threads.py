"""Plain threads for compiled loops and FFTs, which release the interpreter lock."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import torch

Job = TypeVar("Job")
Result = TypeVar("Result")

_WORTH_A_THREAD = 50_000
"""Samples below which a thread costs more than it saves."""


def in_threads(work: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """Results of the jobs in their order, from at most so many threads that use one core each."""
    workers = max(1, min(workers, len(jobs)))
    if workers == 1:
        yield from map(work, jobs)
        return
    threads = torch.get_num_threads()
    try:
        # Else each thread would start a team of its own for its FFTs.
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from pool.map(work, jobs)
    finally:
        torch.set_num_threads(threads)  # what threads that start later begin with


def by_item(work: Callable[[slice], object], items: int, samples: int) -> None:
    """Call `work` for slices of the items that cover all of them, as many at once as torch has threads.

    Args:
        work: treats the items of a slice; it must write nothing that belongs to others.
        items: size of the batch.
        samples: of one item.
    """
    workers = min(torch.get_num_threads(), items * samples // _WORTH_A_THREAD)
    if workers < 2:
        work(slice(0, items))
        return
    parts = min(workers, items)
    edges = [items * part // parts for part in range(parts + 1)]
    slices = [slice(first, last) for first, last in pairwise(edges)]
    for _ in in_threads(work, slices, parts):
        pass
