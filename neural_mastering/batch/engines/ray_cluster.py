"""A Ray cluster: the same supervised processes, one for each core of each node."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from neural_mastering.batch.engines.local import LocalEngine
from neural_mastering.batch.run_work import failed_rows
from neural_mastering.batch.work import Row, Work
from neural_mastering.errors import InputError

_RETRIES = 3
_AHEAD = 2
"""Works a core that are handed to Ray at once: enough that none waits, few enough that memory stays flat."""
_LOOK_S = 5.0

_engine: LocalEngine | None = None  # of a Ray worker, so that its process lives as long as the worker


class RayEngine:
    """Songs as Ray tasks of one core each; a task that is lost with its node runs again on another.

    Args:
        address: of a cluster; None takes RAY_ADDRESS, else starts one on this machine.
        memory_bytes: limit of a song's process; 0 for none.

    Raises:
        InputError: Ray is not installed.
    """

    keeps_rows = False

    def __init__(self, address: str | None = None, memory_bytes: int = 0) -> None:
        self._address, self._memory_bytes = address, memory_bytes
        try:
            import ray  # pyright: ignore[reportMissingImports]  # an extra; loads in seconds
        except ModuleNotFoundError as error:
            raise InputError(
                "--engine ray needs Ray: install it with pip install 'neural-mastering[ray]'"
            ) from error
        self._ray: Any = ray

    def run(self, works: Iterable[Work]) -> Generator[list[Row], None, None]:
        """As in `Engine`."""
        ray, is_ours = self._ray, not self._ray.is_initialized()
        if is_ours:
            self._connect()
        try:
            task = ray.remote(num_cpus=1, max_retries=_RETRIES)(do_work)
            coming, waiting = iter(works), dict[Any, Work]()
            while True:
                room = _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1.0))) - len(waiting)
                for _ in range(room):
                    work = next(coming, None)
                    if work is None:
                        break
                    waiting[task.remote(work, self._memory_bytes)] = work
                if not waiting:
                    return
                ready, _ = ray.wait(list(waiting), num_returns=1, timeout=_LOOK_S)
                for reference in ready:
                    yield self._rows(reference, waiting.pop(reference))
        finally:
            if is_ours:
                ray.shutdown()

    def _connect(self) -> None:
        try:
            self._ray.init(address=self._address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise InputError(
                f"--engine ray: no cluster at {self._address or 'RAY_ADDRESS'} ({error})"
            ) from error

    def _rows(self, reference: Any, work: Work) -> list[Row]:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            text = f"Ray lost its task {_RETRIES + 1} times: {str(error).splitlines()[0]}"
            return failed_rows(work, "died", text, 0.0)


def do_work(work: Work, memory_bytes: int) -> list[Row]:
    """What a Ray worker does: give the work to its own supervised process."""
    global _engine
    if _engine is None:
        _engine = LocalEngine(1, memory_bytes, stays=True)
    return next(iter(list(_engine.run([work]))))
