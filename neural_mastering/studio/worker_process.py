"""The server's end of a worker process: started when needed, told in lines, started anew when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any

_LONGEST_LINE_BYTES = 1 << 28
_CANCEL_S = 5.0
"""A task that has not given way after this long ends with its process."""


class WorkerProcess:
    """One process that runs one task at a time.

    Args:
        niceness: added to that of the server, so that the page stays quick while its workers are busy.
    """

    def __init__(self, niceness: int = 0) -> None:
        self._niceness = niceness
        self._process: asyncio.subprocess.Process | None = None
        self._job: str | None = None
        self._killed = self._cancelled_early = False

    async def start(self) -> asyncio.subprocess.Process:
        """The process, started where there is none."""
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "neural_mastering.studio.worker",
                str(self._niceness),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LONGEST_LINE_BYTES,
                # one thread each: threads of several processes on the same cores wait for one another
                env={**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
            )
        return self._process

    async def run(self, job: str, task: str, arguments: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Answers of the worker to a task; the last is a result, an error, or cancelled."""
        self._job, self._killed, self._cancelled_early = job, False, False
        try:
            process = await self.start()
            assert process.stdout is not None
            if self._cancelled_early:
                yield {"cancelled": True}
                return
            self._send(process, {"id": job, "task": task, "arguments": arguments})
            while True:
                line = await process.stdout.readline()
                if not line:
                    await process.wait()
                    self._process = None
                    if self._killed:
                        yield {"cancelled": True}
                    else:
                        yield {"error": "the worker process ended (out of memory?): try again"}
                    return
                answer = json.loads(line)
                if answer["id"] != job:
                    continue
                yield answer
                if "step" not in answer:
                    return
        finally:
            self._job = None

    def cancel(self, job: str) -> None:
        """Interrupt a task if it is the one that runs."""
        if self._job != job:
            return
        if self._process is None:
            self._cancelled_early = True
            return
        self._send(self._process, {"cancel": job})
        asyncio.get_running_loop().call_later(_CANCEL_S, self._kill, self._process, job)

    async def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    def _send(self, process: asyncio.subprocess.Process, message: Mapping[str, Any]) -> None:
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):  # it died: the end of its output says so
            process.stdin.write(json.dumps(message).encode() + b"\n")

    def _kill(self, process: asyncio.subprocess.Process, job: str) -> None:
        if self._job == job and process is self._process and process.returncode is None:
            self._killed = True
            process.kill()
