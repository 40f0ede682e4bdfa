"""All metrics of a song: seconds of audio a second, alone and in as many processes as there are cores."""

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable

import torch

from benchmarks._timing import Row, as_table
from neural_mastering.metrics.item_metric import ItemMetric
from neural_mastering.metrics.signal import Signal
from neural_mastering.metrics.suite import METRICS, measure

TITLE = "Metrics of whole songs: stereo at 44.1 kHz, all 13 metrics, L/R and M/S, as rendered and loudness matched"

RATE, SECONDS, WANTED = 44_100, 60, 8.0


def run(rounds: int = 3) -> list[Row]:
    """One row a way of measuring; "× real time" is seconds of one system's audio a second of wall time."""
    prediction, target = songs()
    ways: dict[str, Callable[[], object]] = {
        "suite, target measured before": _with_known_target(prediction, target),
        "suite, both sides": lambda: measure(Signal(prediction, RATE), Signal(target, RATE)),
        "metric by metric": lambda: one_by_one(prediction, target),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for index in range(rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if index:  # the first round compiles
                times[name].append(time.perf_counter() - start)
    rows = [_row(name, 1, SECONDS / statistics.median(values)) for name, values in times.items()]
    cores = os.cpu_count() or 1
    rows.append(_row("suite, both sides, one song a process", cores, _in_processes(cores, rounds)))
    return rows


def songs() -> tuple[torch.Tensor, torch.Tensor]:
    """A prediction and a target (1, 2, time): noise with an envelope, and a darker, quieter copy."""
    generator = torch.Generator().manual_seed(0)
    time_s = torch.arange(SECONDS * RATE) / RATE
    target = 0.1 * torch.randn(1, 2, SECONDS * RATE, generator=generator) * (0.3 + 0.7 * (time_s * 2 % 1))
    prediction = 0.3 * target + 0.2 * target.roll(1, -1)
    return prediction, target


def one_by_one(prediction: torch.Tensor, target: torch.Tensor) -> list[float]:
    """The same numbers from the single metrics."""
    values = []
    for metric in METRICS:
        for pair in ("lr", "ms") if metric.info.per_pair else ("lr",):
            for matched in (False, True) if metric.info.level_dependent else (False,):
                single: ItemMetric = metric(RATE, pair=pair, match_loudness=matched)  # type: ignore[arg-type]
                single.update(prediction, target)
                values.append(float(single.compute()))
    return values


def _with_known_target(prediction: torch.Tensor, target: torch.Tensor) -> Callable[[], object]:
    known = Signal(target, RATE)
    measure(Signal(prediction, RATE), known)
    return lambda: measure(Signal(prediction, RATE), known)


def _in_processes(cores: int, rounds: int) -> float:
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        pool.map(_once, range(cores), chunksize=1)  # imports and compiles
        start = time.perf_counter()
        pool.map(_once, range(cores * rounds), chunksize=1)
        return cores * rounds * SECONDS / (time.perf_counter() - start)


def _once(_: int) -> float:
    torch.set_num_threads(1)
    prediction, target = songs()
    return measure(Signal(prediction, RATE), Signal(target, RATE))["mr_stft"]


def _row(name: str, processes: int, speed: float) -> Row:
    return {
        "way": name,
        "processes": str(processes),
        "threads": str(torch.get_num_threads() if processes == 1 else 1),
        "× real time": f"{speed:.1f}",
        f"≥ {WANTED:g}": "yes" if speed >= WANTED else "no",
    }


if __name__ == "__main__":
    print(as_table(run()))
