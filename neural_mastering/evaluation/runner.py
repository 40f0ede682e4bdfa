"""Songs one after another, or several at a time in processes of their own."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

import torch

from neural_mastering.evaluation.measure_song import EvaluationOptions, SongTask, measure_song
from neural_mastering.evaluation.plan import EvaluationPlan, build_systems
from neural_mastering.evaluation.song_result import SongResult
from neural_mastering.evaluation.song_systems import SongSystem

_worker: tuple[list[SongSystem], EvaluationPlan, EvaluationOptions] | None = None


def default_jobs(songs: int) -> int:
    """As many processes as cores and songs; a few songs are not worth starting them."""
    return 1 if songs < 4 else min(os.cpu_count() or 1, songs)


def measure_all(
    tasks: Sequence[SongTask],
    plan: EvaluationPlan,
    systems: list[SongSystem],
    options: EvaluationOptions,
    jobs: int,
    done: Callable[[str], None],
) -> list[SongResult]:
    """Results in the order of the tasks; `done` is told each song's name."""
    results: dict[int, SongResult] = {}
    for number, result in _results(tasks, plan, systems, options, jobs):
        results[number] = result
        done(result.name)
    return [results[task.number] for task in tasks]


def _results(
    tasks: Sequence[SongTask],
    plan: EvaluationPlan,
    systems: list[SongSystem],
    options: EvaluationOptions,
    jobs: int,
) -> Iterator[tuple[int, SongResult]]:
    if jobs <= 1:
        cache = plan.cache
        for task in tasks:
            yield task.number, measure_song(task, systems, cache, options)
        return
    names = [task.pair.name for task in tasks]
    threads = max(1, torch.get_num_threads() // jobs)
    with ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), _start, (plan, names, options, threads)
    ) as pool:
        futures = {pool.submit(_work, task): task.number for task in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _start(plan: EvaluationPlan, names: list[str], options: EvaluationOptions, threads: int) -> None:
    global _worker
    torch.set_num_threads(threads)
    _worker = build_systems(plan, names), plan, options


def _work(task: SongTask) -> SongResult:
    assert _worker is not None
    systems, plan, options = _worker
    return measure_song(task, systems, plan.cache, options)
