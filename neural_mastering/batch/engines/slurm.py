"""Slurm jobs by submitit: the works are dealt to the jobs of an array, and each runs the local engine."""

from __future__ import annotations

import pickle
import time
import uuid
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from neural_mastering.atomic import write_bytes
from neural_mastering.batch.engines.local import LocalEngine
from neural_mastering.batch.results import ResultWriter, rows_of_part, writer_parts
from neural_mastering.batch.run_work import failed_rows
from neural_mastering.batch.work import Row, Work
from neural_mastering.errors import InputError

_ROUNDS = 3
_LOOK_S = 1.0


class SlurmEngine:
    """An array of jobs on a shared file system; works of jobs that were lost are submitted again.

    Each job writes its rows into the parts of the table itself, so that they are safe even when the submitting
    process ends before the jobs do.

    Args:
        out: folder of the results, which the nodes must see.
        jobs: in the array.
        processes: songs at once in each job.
        memory_bytes: limit of a song's process; 0 for none.
        parameters: NAME=VALUE for submitit, such as slurm_partition=cpu or timeout_min=600.
        cluster: of submitit: "slurm", "local"; None takes what it finds.

    Raises:
        InputError: submitit is not installed, or a parameter that it does not have.
    """

    keeps_rows = True

    def __init__(
        self,
        out: Path,
        jobs: int = 8,
        processes: int = 1,
        memory_bytes: int = 0,
        parameters: Sequence[str] = (),
        cluster: str | None = None,
    ) -> None:
        self._out, self._jobs, self._processes, self._memory_bytes = out, jobs, processes, memory_bytes
        try:
            import submitit  # an extra
        except ModuleNotFoundError as error:
            raise InputError(
                "--engine slurm needs submitit: install it with pip install 'neural-mastering[slurm]'"
            ) from error
        parsed = _parsed(parameters)
        try:
            self._executor: Any = submitit.AutoExecutor(folder=out / "slurm" / "%j", cluster=cluster)
            # what the songs may take, and a little for the process that watches them
            memory_gb = {"mem_gb": 1.0 + processes * memory_bytes / 1e9} if memory_bytes else {}
            self._executor.update_parameters(
                name="nm-batch",
                cpus_per_task=processes,
                timeout_min=24 * 60,
                **memory_gb,
                **parsed,
            )
        except (NameError, ValueError, TypeError, RuntimeError) as error:
            raise InputError(f"--engine slurm: {error}") from error

    def run(self, works: Iterable[Work]) -> Generator[list[Row], None, None]:
        """As in `Engine`; the rows lie in the parts of the table already."""
        left = {work.id: work for work in works}
        for _ in range(_ROUNDS):
            if not left:
                return
            for rows in self._round(list(left.values())):
                left.pop(rows[0]["id"], None)
                yield rows
        writer = ResultWriter(self._out)
        for work in left.values():
            rows = failed_rows(work, "died", f"no job gave an answer in {_ROUNDS} rounds", 0.0)
            writer.add(rows)
            yield rows
        writer.flush()

    def _round(self, works: list[Work]) -> Iterator[list[Row]]:
        """Submit all works, and give rows as the jobs write them."""
        name = f"slurm-{uuid.uuid4().hex[:8]}"
        chunks = []
        for number in range(min(self._jobs, len(works))):
            path = self._out / "slurm" / f"{name}-{number:04d}.works"
            write_bytes(path, pickle.dumps(works[number :: self._jobs]))
            chunks.append(str(path))
        jobs = self._executor.map_array(
            do_works,
            [str(self._out)] * len(chunks),
            chunks,
            *([v] * len(chunks) for v in (self._processes, self._memory_bytes)),
        )
        albums = {song.id: work for work in works for song in work.songs}
        seen: set[Path] = set()
        try:
            while True:
                is_over = all(job.done() for job in jobs)
                for part in writer_parts(self._out, name):
                    if part not in seen:
                        seen.add(part)
                        yield from _by_work(rows_of_part(part), albums)
                if is_over:
                    return
                time.sleep(_LOOK_S)
        except BaseException:
            for job in jobs:
                job.cancel(check=False)
            raise
        finally:
            for chunk in chunks:
                Path(chunk).unlink(missing_ok=True)


def do_works(out: str, chunk: str, processes: int, memory_bytes: int) -> int:
    """What a job does: its works by the local engine, their rows into parts. Returns how many songs it did."""
    path = Path(chunk)
    works: list[Work] = pickle.loads(path.read_bytes())  # written by the submitting process of the same user
    writer = ResultWriter(Path(out), path.stem, merges=False)
    count = 0
    for rows in LocalEngine(processes, memory_bytes).run(works):
        writer.add(rows)
        count += len(rows)
    writer.flush()
    if writer.error is not None:
        raise writer.error
    return count


def _by_work(rows: Iterable[Row], works: dict[str, Work]) -> Iterator[list[Row]]:
    """Rows together that came of one work."""
    together: dict[str, list[Row]] = {}
    for row in rows:
        work = works.get(row["id"])
        if work is not None:
            together.setdefault(work.id, []).append(row)
    for own, found in together.items():
        yield sorted(found, key=lambda row: row["id"] != own)


def _parsed(parameters: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE with whole numbers where they are."""
    found: dict[str, Any] = {}
    for text in parameters:
        name, separator, value = text.partition("=")
        if not separator or not name.isidentifier():
            raise InputError(f"--slurm-option {text}: expected NAME=VALUE, such as slurm_partition=cpu")
        found[name] = int(value) if value.isdecimal() else value
    return found
