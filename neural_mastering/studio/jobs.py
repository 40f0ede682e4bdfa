"""What the server has its workers do: jobs in lanes, each told to whoever watches, cancelled or replaced."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from neural_mastering.errors import InputError
from neural_mastering.studio.worker_process import WorkerProcess

State = Literal["waiting", "running", "done", "failed", "cancelled"]
Lane = Literal["interactive", "render"]

LANES: dict[Lane, int] = {"interactive": 3, "render": 10}
"""Lanes, and the niceness of their workers."""

PRIORITIES = {"preview": 0, "decide": 1, "compare": 2, "proposals": 2, "measure": 3, "render": 0, "album": 0}
MOST_KEPT = 200
MOST_WAITING = 256


@dataclass(eq=False)
class StudioJob:
    """One job; it changes while it is worked on.

    Attributes:
        kind: name of the worker's task.
        arguments: of the worker's task.
        lane: whose worker does it.
        key: a newer job of the same key cancels this one; empty where nothing does.
        state: where it stands.
        step, share: what is being done, and how much of it is done, 0 to 1.
        result: of a job that is done.
        error: one sentence of a job that failed.
    """

    kind: str
    arguments: Mapping[str, Any]
    key: str = ""
    lane: Lane = "interactive"
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: State = "waiting"
    step: str = ""
    share: float | None = None
    result: Any = None
    error: str | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        """Done, failed or cancelled."""
        return self.state in ("done", "failed", "cancelled")

    def as_dict(self) -> dict[str, Any]:
        """What a client sees."""
        shown = {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "step": self.step,
            "share": self.share,
        }
        if self.state == "done":
            shown["result"] = self.result
        return shown if self.error is None else {**shown, "error": self.error}

    def update(self, **fields: Any) -> None:
        """Change fields and wake those who watch."""
        for name, value in fields.items():
            setattr(self, name, value)
        self.changed.set()
        self.changed = asyncio.Event()


class JobQueue:
    """Gives jobs to workers, one a lane, in the order of priority and age."""

    def __init__(self) -> None:
        self._jobs: dict[str, StudioJob] = {}
        self._count = itertools.count()
        self._queues: dict[Lane, asyncio.PriorityQueue[tuple[int, int, StudioJob]]] = {}
        self._workers: dict[Lane, WorkerProcess] = {}
        self._runners: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the lanes; the worker that a person waits for is started at once."""
        for lane, niceness in LANES.items():
            self._queues[lane] = asyncio.PriorityQueue()
            self._workers[lane] = WorkerProcess(niceness)
            self._runners.append(asyncio.create_task(self._run(lane)))
        await self._workers["interactive"].start()

    async def stop(self) -> None:
        """End all workers."""
        for runner in self._runners:
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)
        for worker in self._workers.values():
            await worker.stop()

    def submit(
        self, kind: str, arguments: Mapping[str, Any], lane: Lane = "interactive", key: str = ""
    ) -> StudioJob:
        """Put a job into a lane; an older one of the same key is cancelled.

        Raises:
            InputError: too many jobs are waiting.
        """
        if self._queues[lane].qsize() >= MOST_WAITING:
            raise InputError(f"{MOST_WAITING} jobs are waiting already: wait, or cancel some")
        if key:
            for other in [job for job in self._jobs.values() if job.key == key]:
                self.cancel(other)
        job = StudioJob(kind, arguments, key, lane)
        self._jobs[job.id] = job
        self._queues[lane].put_nowait((PRIORITIES[kind], next(self._count), job))
        self._forget()
        return job

    def of_lane(self, lane: Lane) -> list[StudioJob]:
        """Jobs of a lane that are remembered, the oldest first."""
        return [job for job in self._jobs.values() if job.lane == lane]

    def get(self, job: str) -> StudioJob | None:
        """A job by its id."""
        return self._jobs.get(job)

    def cancel(self, job: StudioJob) -> None:
        """Cancel a job that is waiting or running; one that is over stays as it is."""
        if job.is_over:
            return
        for worker in self._workers.values():
            worker.cancel(job.id)
        if job.state == "waiting":
            job.update(state="cancelled")

    async def wait(self, job: StudioJob) -> StudioJob:
        """Wait until a job is over."""
        async for _ in self.watch(job):
            pass
        return job

    async def watch(self, job: StudioJob) -> AsyncIterator[dict[str, Any]]:
        """The job as it is now and after every change, until it is over."""
        while True:
            changed = job.changed
            yield job.as_dict()
            if job.is_over:
                return
            await changed.wait()

    async def _run(self, lane: Lane) -> None:
        queue, worker = self._queues[lane], self._workers[lane]
        while True:
            _, _, job = await queue.get()
            if job.is_over:
                continue
            job.update(state="running")
            async for answer in worker.run(job.id, job.kind, job.arguments):
                if "step" in answer:
                    job.update(step=answer["step"], share=answer["share"])
                elif "result" in answer:
                    job.update(state="done", share=1.0, result=answer["result"])
                elif "error" in answer:
                    job.update(state="failed", error=answer["error"])
                else:
                    job.update(state="cancelled")

    def _forget(self) -> None:
        over = [job.id for job in self._jobs.values() if job.is_over]
        for job in over[: max(len(self._jobs) - MOST_KEPT, 0)]:
            del self._jobs[job]
