"""Ray's tasks against Ray Data under the same songs."""

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import ray  # pyright: ignore[reportMissingImports]  # an extra
from ray.cluster_utils import Cluster  # pyright: ignore[reportMissingImports]

from benchmarks._timing import as_table
from experiments.ray_data.data_engine import RayDataEngine
from neural_mastering.batch.engines.engine import Engine
from neural_mastering.batch.engines.ray_cluster import RayEngine
from neural_mastering.batch.manifest import read_manifest
from neural_mastering.batch.request import BatchRequest, SongLimits
from neural_mastering.batch.results import read_table
from neural_mastering.batch.run import run_batch
from neural_mastering.batch.work import Row

ROOT = str(Path(__file__).parents[2])
TINY, SLOW = 1000, 24
ENGINES: dict[str, Callable[[], Engine]] = {
    "tasks (the engine)": RayEngine,
    "Ray Data, a song a block": lambda: RayDataEngine(1),
    "Ray Data, its own blocks": RayDataEngine,
}


def compare() -> None:
    """Measure each engine and print the table."""
    logging.getLogger("ray").setLevel(logging.ERROR)
    os.environ["PYTHONPATH"] = ROOT
    found: dict[str, dict[str, str]] = {}
    for label, make in ENGINES.items():
        with tempfile.TemporaryDirectory() as name:
            own = found[label] = {"engine": label}
            own |= {"ms a song": f"{_overhead(Path(name), make):.1f}"}
            own |= _delay(Path(name), make)
            own |= _lost_node(Path(name), make)
            own |= _lost_worker(Path(name), make)
            print(own, flush=True)
    print(as_table(list(found.values())))


def _overhead(folder: Path, make: Callable[[], Engine]) -> float:
    """Milliseconds a song that takes no time, on a cluster whose processes run already."""
    with _cluster():
        first = _request(folder, "first", "nothing", ["x"] * 8)
        run_batch(first, make())
        request = _request(folder, "tiny", "nothing", ["x"] * TINY)
        started = time.perf_counter()
        run_batch(request, make())
        return 1e3 * (time.perf_counter() - started) / TINY


def _delay(folder: Path, make: Callable[[], Engine]) -> dict[str, str]:
    """How long the row of a song of half a second is on its way: what is lost when the main process is killed."""
    with _cluster():
        delays: list[float] = []

        def done(row: Row) -> None:
            finished = datetime.fromisoformat(row["finished"])
            delays.append((datetime.now(UTC) - finished).total_seconds())

        run_batch(_request(folder, "slow", "behave", ["slow"] * SLOW), make(), done)
        assert len(delays) == SLOW
        return {"row arrives after s, median": f"{np.median(delays):.2f}", "worst": f"{max(delays):.2f}"}


def _lost_node(folder: Path, make: Callable[[], Engine]) -> dict[str, str]:
    """A node of two is killed when five songs of half a second have come: songs begun in vain, and rows."""
    log = folder / "log.txt"
    os.environ["NM_BATCH_LOG"] = str(log)
    with _cluster(nodes=2) as cluster:
        request = _request(folder, "lost", "behave", ["slow"] * SLOW)
        seen: list[str] = []

        def done(row: Row) -> None:
            seen.append(row["id"])
            if len(seen) == 5:
                time.sleep(0.25)  # in the middle of the songs at work
                cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)

        outcome = run_batch(request, make(), done)
    del os.environ["NM_BATCH_LOG"]
    assert len(read_table(request.out).to_pylist()) == SLOW
    begun = len(log.read_text().splitlines())
    return {
        "node killed: done": f"{outcome.done} of {SLOW}",
        "rows given twice": f"{len(seen) - len(set(seen))}",
        "songs begun again": f"{begun - SLOW}",
    }


def _lost_worker(folder: Path, make: Callable[[], Engine]) -> dict[str, str]:
    """One song of `SLOW` always takes its Ray worker along: what becomes of the others in this run."""
    words = ["kill" if number == 4 else "fine" for number in range(SLOW)]
    request = _request(folder, "worker", "behave", words, "experiments.ray_data.songs")
    with _cluster():
        try:
            run_batch(request, make())
            ending = "goes on"
        except ray.exceptions.RayError as error:
            ending = type(error).__name__
    rows = read_table(request.out).to_pylist()
    done = sum(row["status"] == "done" for row in rows)
    return {"a song kills its worker: run": ending, "others done": f"{done} of {SLOW - 1}"}


@contextmanager
def _cluster(nodes: int = 1) -> Iterator[Any]:
    """Two cores in `nodes` nodes, beside a head that runs nothing where there are several."""
    head = {"num_cpus": 2 if nodes == 1 else 0, "object_store_memory": 100_000_000}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        if nodes > 1:
            for _ in range(nodes):
                cluster.add_node(num_cpus=2 // nodes, object_store_memory=100_000_000)
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def _request(
    folder: Path, name: str, function: str, words: list[str], module: str = "benchmarks.batch_faults"
) -> BatchRequest:
    (folder / name).mkdir()
    for number, word in enumerate(words):
        (folder / name / f"{number:05d}.txt").write_text(word)
    manifest = folder / f"{name}.csv"
    manifest.write_text("path\n" + "".join(f"{name}/{number:05d}.txt\n" for number in range(len(words))))
    return BatchRequest(
        "measure",
        read_manifest(manifest).songs,
        folder / f"{name}-out",
        limits=SongLimits(120.0, 0),
        function=f"{module}:{function}",
    )
