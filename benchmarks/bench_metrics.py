"""Evaluating whole songs: seconds of audio a second, measuring them and rendering them by each kind of system."""

import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import numba
import torch

from benchmarks._timing import Row, as_table
from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import validated
from neural_mastering.data import AudioCache
from neural_mastering.dsp import stft_fused
from neural_mastering.dsp.a_weighted import FFT_SIZE as MAGNITUDES_SIZE
from neural_mastering.dsp.stft_resolution import FFT_SIZES
from neural_mastering.evaluation import matchering_peer
from neural_mastering.evaluation.song_set import LoadedSong
from neural_mastering.evaluation.song_systems import SongSystem
from neural_mastering.evaluation.trained_model import TrainedModel
from neural_mastering.metrics.item_metric import ItemMetric
from neural_mastering.metrics.signal import Signal
from neural_mastering.metrics.suite import METRICS, measure
from neural_mastering.models import MasteringModel

TITLE = (
    "Evaluating whole songs: stereo at 44.1 kHz; measuring is all 13 metrics, L/R and M/S, as rendered and "
    "loudness matched; rendering is listening and processing; the floor is the FFTs of measuring"
)

RATE, SECONDS, RENDERED_SECONDS, WANTED = 44_100, 60, 30, 8.0
PHASES = {
    "1a": "equaliser alone (1A)",
    "1b": "equaliser and Wave-U-Net (1B)",
    "1c": "equaliser that chooses its bands and Wave-U-Net (1C)",
    "2": "the same and the grey-box chain (2)",
}
KNOWN, FLOOR = "measure, target measured before", "its FFTs alone"
"""What nm-eval does for each system."""


def run(rounds: int = 3) -> list[Row]:
    """One row a way of measuring or rendering, on all threads and on one.

    "× real time" is seconds of one system's audio a second of wall time; "× of measuring" how many times longer a
    system takes to render than nm-eval takes to measure the result: above 1 the rendering bounds an evaluation.
    """
    prediction, target = songs()
    ways: dict[str, Callable[[], object]] = {
        KNOWN: _with_known_target(prediction, target),
        "measure, both sides": lambda: measure(Signal(prediction, RATE), Signal(target, RATE)),
        "measure, metric by metric": lambda: one_by_one(prediction, target),
        FLOOR: _ffts,
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        systems = rendering_systems(Path(folder))
        renders = {
            f"render, {name}": _renderer(system, prediction, target) for name, system in systems.items()
        }
        for count in dict.fromkeys((torch.get_num_threads(), 1)):
            with threads(count):
                times = alternating(ways | renders, rounds)
            known = SECONDS / times[KNOWN]
            for name, value in times.items():
                seconds = RENDERED_SECONDS if name in renders else SECONDS
                row = _row(name, 1, count, seconds / value, known if name in renders else None)
                per_second = {"ms / s of audio": f"{1e3 * value / seconds:.1f}"}
                rows.append(
                    row | per_second | {"× floor": f"{value / times[FLOOR]:.1f}"}
                    if name not in renders
                    else row
                )
    cores = os.cpu_count() or 1
    rows.append(_row("measure, both sides, one song a process", cores, 1, _in_processes(cores, rounds)))
    return rows


def alternating(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each way; they take turns, and the first round, which compiles, does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for index in range(rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if index:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads for torch and numba."""
    before = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(count)
    numba.set_num_threads(min(count, before[1]))
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        numba.set_num_threads(before[1])


def rendering_systems(folder: Path) -> dict[str, SongSystem]:
    """A model of each phase in its default shape, and Matchering where it is installed."""
    found: dict[str, SongSystem] = {
        name: TrainedModel(phase, name, model_of(phase)) for phase, name in PHASES.items()
    }
    if matchering_peer.is_installed():
        found[f"Matchering {version('matchering')}"] = matchering_peer.Matchering(
            AudioCache(folder, RATE), None
        )
    else:
        print(f"no row of Matchering: {matchering_peer.NOT_INSTALLED}")
    return found


def model_of(phase: str) -> MasteringModel:
    """A phase's model with weights that move every control: at rest some stages would have nothing to do."""
    model = build_model(validated(compose([f"+phase={phase}"])).model)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.abs().sum():
                parameter.normal_(std=0.1, generator=generator)
    return model


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


def _ffts() -> None:
    """Those of KNOWN: six resolutions and the magnitudes of both sides, the correlation, the third octaves."""
    for size in (*FFT_SIZES, MAGNITUDES_SIZE):
        block = max(1, stft_fused.BLOCK_SAMPLES // size)
        frames = torch.zeros(block, size)
        for _ in range(4 * (SECONDS * RATE // (size // 4)) // block):
            torch.fft.rfft(frames)
    spectrum = torch.fft.rfft(torch.zeros(4, SECONDS * RATE, dtype=torch.float64))
    torch.fft.irfft(spectrum[0])
    torch.fft.rfft(torch.zeros(4 * 2 * SECONDS * RATE // 16_384, 16_384))


def _renderer(system: SongSystem, prediction: torch.Tensor, target: torch.Tensor) -> Callable[[], object]:
    length = RENDERED_SECONDS * RATE
    song = LoadedSong("song", "group", prediction[..., :length], target[..., :length], RATE)
    return lambda: system.render(song)


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


def _row(name: str, processes: int, count: int, speed: float, measuring: float | None = None) -> Row:
    row = {
        "way": name,
        "processes": str(processes),
        "threads": str(count),
        "× real time": f"{speed:.1f}",
        f"≥ {WANTED:g}": "",
        "× of measuring": "",
    }
    if measuring is not None:
        row["× of measuring"] = f"{measuring / speed:.2f}"
    else:
        row[f"≥ {WANTED:g}"] = "yes" if speed >= WANTED else "no"
    return row


if __name__ == "__main__":
    print(as_table(run()))
