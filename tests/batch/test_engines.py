"""The other engines do the same work and give the same table."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from neural_mastering.batch.engines.local import LocalEngine
from neural_mastering.batch.engines.slurm import SlurmEngine
from neural_mastering.batch.request import BatchRequest, SongLimits
from neural_mastering.batch.results import read_table
from neural_mastering.batch.run import run_batch
from neural_mastering.errors import InputError

Ask = Callable[..., BatchRequest]
WORDS = {"a": "good", "b": "refuse", "c": "crash", "d": "crash_once", "e": "hang", "f": "good", "g": "eat"}
KINDS = {"a": None, "b": "input", "c": "died", "d": None, "e": "timeout", "f": None, "g": "memory"}
LIMITS = SongLimits(20.0, 700_000_000)


def kinds(request: BatchRequest) -> dict[str, str | None]:
    found = read_table(request.out).to_pylist()
    assert len({row["id"] for row in found}) == len(found)
    return {row["name"]: row["error_kind"] for row in found}


@pytest.mark.slow
def test_slurm_jobs_give_the_same_table_as_processes_here(asked: Ask) -> None:
    request = asked(WORDS, limits=LIMITS)
    engine = SlurmEngine(request.out, jobs=3, memory_bytes=LIMITS.memory_bytes, cluster="local")
    outcome = run_batch(request, engine)
    assert kinds(request) == KINDS
    assert (outcome.done, outcome.failed) == (3, 4)
    assert run_batch(request, LocalEngine()).reasons == {
        "done": 3,
        "failed before": 3,
        "failed, tried again": 1,
    }


@pytest.mark.slow
def test_works_of_a_lost_job_are_submitted_again(
    asked: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    request = asked(
        {"s0": "hang_once", **{f"s{i}": "good" for i in range(1, 6)}}, limits=SongLimits(300.0, 0)
    )
    engine = SlurmEngine(request.out, jobs=2, cluster="local")
    real, calls = engine._executor.map_array, []

    def lossy(function: Any, *chunks: Any) -> Any:
        calls.append(len(chunks[0]))
        jobs = real(function, *chunks)
        if len(calls) == 1:
            until = time.monotonic() + 120.0
            while not (tmp_path / "s0.tried").exists() and time.monotonic() < until:
                time.sleep(0.05)
            jobs[0].cancel()  # while it hangs in its first song
        return jobs

    monkeypatch.setattr(engine._executor, "map_array", lossy)
    # a shell's background job ignores SIGINT, and so would the jobs, which are cancelled by it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        outcome = run_batch(request, engine)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (outcome.done, outcome.failed) == (6, 0) and len(calls) == 2
    assert set(kinds(request).values()) == {None}


def test_a_parameter_that_slurm_has_not_is_refused(asked: Ask) -> None:
    request = asked({"a": "good"})
    for wrong in ("partition", "slurm_nonsense=3"):
        with pytest.raises(InputError, match="slurm"):
            SlurmEngine(request.out, parameters=[wrong], cluster="local")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A Ray cluster of three nodes on this machine; the first one runs nothing."""
    ray = pytest.importorskip("ray", reason="the extra ray is not installed")
    from ray.cluster_utils import Cluster  # pyright: ignore[reportMissingImports]

    root = str(Path(__file__).parents[2])
    before = dict(os.environ)
    os.environ["PYTHONPATH"] = root
    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": 80_000_000})
    for _ in range(2):
        found.add_node(num_cpus=1, object_store_memory=80_000_000)
    ray.init(address=found.address, log_to_driver=False)
    yield found
    ray.shutdown()
    found.shutdown()
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.slow
def test_a_ray_cluster_gives_the_same_table_as_processes_here(asked: Ask, cluster: Any) -> None:
    from neural_mastering.batch.engines.ray_cluster import RayEngine

    request = asked(WORDS, limits=LIMITS)
    outcome = run_batch(request, RayEngine(memory_bytes=LIMITS.memory_bytes))
    assert kinds(request) == KINDS
    assert (outcome.done, outcome.failed) == (3, 4)


@pytest.mark.slow
def test_a_node_that_dies_in_the_middle_costs_no_song(asked: Ask, cluster: Any) -> None:
    from neural_mastering.batch.engines.ray_cluster import RayEngine

    request = asked({f"s{i:02d}": "slow" for i in range(24)})
    seen: list[str] = []

    def done(row: dict[str, Any]) -> None:
        seen.append(row["name"])
        if len(seen) == 5:
            node = cluster.list_all_nodes()[-1]
            cluster.remove_node(node, allow_graceful=False)

    started = time.monotonic()
    outcome = run_batch(request, RayEngine(), done)
    assert (outcome.done, outcome.failed) == (24, 0), time.monotonic() - started
    assert sorted(seen) == sorted(f"s{i:02d}" for i in range(24))
    assert set(kinds(request).values()) == {None}
