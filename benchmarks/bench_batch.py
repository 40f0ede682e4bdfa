"""Many songs: songs a minute against a shell loop and Matchering; what a song costs beside its own work; faults.

python -m benchmarks.run_all batch          the table in README.md
python -m benchmarks.bench_batch overhead   10,000 songs that take no time: local, Ray, a rerun, memory
python -m benchmarks.bench_batch faults     10 kinds of faults × 3 engines, then a rerun: nothing lost
python -m benchmarks.bench_batch long       songs of four minutes, for the sums in docs/scale.md
"""

import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._timing import Row, as_table
from benchmarks.batch_faults import FAULTS
from benchmarks.batch_rates import alternating, long_songs, short_songs
from neural_mastering.batch.engines.engine import Engine
from neural_mastering.batch.engines.local import LocalEngine
from neural_mastering.batch.engines.ray_cluster import RayEngine
from neural_mastering.batch.engines.slurm import SlurmEngine
from neural_mastering.batch.manifest import read_manifest
from neural_mastering.batch.request import BatchRequest, SongLimits
from neural_mastering.batch.results import read_table
from neural_mastering.batch.run import run_batch

TITLE = "A batch: 8 demo mixes, repeated to 16, whole processes, alternating; songs a minute"

TINY = 10_000
ROOT = str(Path(__file__).parents[1])


def run(rounds: int = 3) -> list[Row]:
    """Short songs: start-up weighs most."""
    with tempfile.TemporaryDirectory() as name:
        return alternating(Path(name), short_songs(Path(name)), rounds)


def long(rounds: int = 1) -> list[Row]:
    """Songs of four minutes: what docs/scale.md reckons with."""
    with tempfile.TemporaryDirectory() as name:
        return alternating(Path(name), long_songs(Path(name)), rounds)


def overhead() -> list[Row]:
    """What a song costs beside its own work: each engine, then a rerun of finished work; memory here."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name, _importable():
        folder = Path(name)
        for number in range(TINY):
            (folder / f"{number:05d}.txt").write_text("x")
        for label, make in (
            ("local, 2 processes", lambda _: LocalEngine(2)),
            ("Ray, this machine", lambda _: RayEngine()),
        ):
            request = _request(folder, sorted(folder.glob("*.txt")), folder / label[:3], "nothing")
            before_mb, started = _memory_mb(), time.perf_counter()
            marks: list[float] = []

            def mark(_: Any, marks: list[float] = marks) -> None:
                marks.append(_memory_mb())

            run_batch(request, make(request), mark)
            took = time.perf_counter() - started
            again = time.perf_counter()
            outcome = run_batch(request, LocalEngine(2))
            again = time.perf_counter() - again
            assert outcome.reasons == {"done": TINY}
            rows.append(
                {
                    "engine": label,
                    "songs": f"{TINY}",
                    "ms a song": f"{1e3 * took / TINY:.2f}",
                    "rerun, ms a song": f"{1e3 * again / TINY:.3f}",
                    "memory, MB: before": f"{before_mb:.0f}",
                    "at 1,000 songs": f"{marks[999]:.0f}",
                    "at the end": f"{marks[-1]:.0f}",
                }
            )
    return rows


def faults() -> list[Row]:
    """Each fault among good songs, by each engine; then the causes go, and `--retry failed` completes the table."""
    rows: list[Row] = []
    limits = SongLimits(40.0, 900_000_000)  # time for a busy machine
    engines: dict[str, Callable[[BatchRequest], Engine]] = {
        "local": lambda _: LocalEngine(2, limits.memory_bytes),
        "slurm (submitit, local executor)": lambda r: SlurmEngine(
            r.out, jobs=2, memory_bytes=limits.memory_bytes, cluster="local"
        ),
        "ray": lambda _: RayEngine(memory_bytes=limits.memory_bytes),
    }
    with _importable():
        for label, make in engines.items():
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                words = {**{word: word for word in FAULTS}, **{f"good{i}": "good" for i in range(10)}}
                for own, word in words.items():
                    (folder / f"{own}.txt").write_text(word)
                request = _request(folder, sorted(folder.glob("*.txt")), folder / "out", "behave", limits)
                run_batch(request, make(request))
                found = {row["name"]: row["error_kind"] for row in read_table(request.out).to_pylist()}
                wrong = [own for own in words if found.get(own, "no row") != FAULTS.get(own)]
                for own in words:
                    (folder / f"{own}.txt").write_text("good")
                again = _request(
                    folder, sorted(folder.glob("*.txt")), folder / "out", "behave", limits, "failed"
                )
                run_batch(again, make(again))
                table = read_table(request.out).to_pylist()
                count = Counter(row["id"] for row in table)
                rows.append(
                    {
                        "engine": label,
                        "faults": f"{len(FAULTS)}",
                        "other than expected": ", ".join(wrong) or "none",
                        "songs": f"{len(words)}",
                        "done after a rerun": f"{sum(row['status'] == 'done' for row in table)}",
                        "rows twice": f"{sum(n > 1 for n in count.values())}",
                        "scratch left": f"{len(list((request.out / 'scratch').glob('*')))}",
                    }
                )
    return rows


def _request(
    folder: Path,
    files: list[Path],
    out: Path,
    function: str,
    limits: SongLimits | None = None,
    retry: Any = "passing",
) -> BatchRequest:
    manifest = folder / "songs.csv"
    manifest.write_text("path\n" + "".join(f"{file}\n" for file in files))
    return BatchRequest(
        "measure",
        read_manifest(manifest).songs,
        out,
        limits=limits or SongLimits(60.0, 0),
        function=f"benchmarks.batch_faults:{function}",
        retry=retry,
    )


def _memory_mb() -> float:
    """Of this process, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


@contextmanager
def _importable() -> Iterator[None]:
    """Workers find the functions of this folder."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = ROOT
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@dataclass(frozen=True)
class _Part:
    title: str
    rows: Callable[[], list[Row]]


PARTS = {
    "overhead": _Part("Songs that take no time", overhead),
    "faults": _Part("Faults", faults),
    "songs": _Part(TITLE, run),
    "long": _Part("Songs of four minutes", long),
}


if __name__ == "__main__":
    for part in sys.argv[1:] or list(PARTS):
        print(f"\n{PARTS[part].title}\n\n{as_table(PARTS[part].rows())}", flush=True)
