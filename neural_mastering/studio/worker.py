"""A process that works for the server: one task at a time, told in lines of JSON, interrupted on request.

Requests arrive on standard input, `{"id", "task", "arguments"}`, answers leave on standard output: any number of
`{"id", "step", "share"}` and then one of `{"id", "result"}`, `{"id", "error"}`, `{"id", "cancelled"}`. The line
`{"cancel": id}` interrupts a task as Ctrl-C would, so whatever it had half written is removed. The process ends
when its input does, whatever ended the server.
"""

from __future__ import annotations

import _thread
import contextlib
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from neural_mastering.errors import InputError
from neural_mastering.studio.freed_memory import give_memory_back
from neural_mastering.studio.tasks import TASKS, WARM_UPS

_IDLE_S = 0.3
"""After this long without a request, the worker loads what the next ones will need, and later gives memory back."""

_AGAIN_S = 1.0
"""An interrupt that arrives inside a callback of C is printed and forgotten; it is sent again until it counts."""


class Worker:
    """Takes requests from `lines` and writes answers to `out` until the lines end."""

    def __init__(self, lines: TextIO, out: TextIO) -> None:
        self._lines, self._out = lines, out
        self._waiting: queue.Queue[dict[str, Any]] = queue.Queue()
        self._current: str | None = None
        self._cancelled: set[str] = set()

    def run(self) -> None:
        """Work until the process is ended by the end of its input."""
        signal.signal(signal.SIGINT, self._interrupted)
        threading.Thread(target=self._listen, daemon=True).start()
        for prepare in WARM_UPS:
            self._work()
            prepare()
        while True:
            self._work()
            give_memory_back()
            self._answer_next(None)

    def _work(self) -> None:
        """Answer requests until none arrives for a moment."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._answer_next(_IDLE_S)

    def _answer_next(self, within_s: float | None) -> None:
        """Answer the next request; None waits for as long as it takes.

        Raises:
            queue.Empty: none has arrived within so long.
        """
        request = self._waiting.get(timeout=within_s)
        self._answer(request["id"], self._outcome(request))

    def _outcome(self, request: dict[str, Any]) -> dict[str, Any]:
        job = request["id"]
        try:
            try:
                self._current = job
                if job in self._cancelled:
                    return {"cancelled": True}
                result = TASKS[request["task"]](
                    request["arguments"],
                    lambda step, share=None: self._answer(job, {"step": step, "share": share}),
                )
            finally:
                self._current = None
            return {"result": result}
        except KeyboardInterrupt:
            return {"cancelled": True}
        except InputError as error:
            return {"error": _without_folders(str(error), request["arguments"])}
        except MemoryError:
            return {"error": "out of memory: close other programs, or use a shorter song"}
        except Exception as error:  # a fault of ours: the page says so in one line, the log has the rest
            traceback.print_exc()
            return {
                "error": f"an error of nm-studio itself ({type(error).__name__}); its log has the details"
            }

    def _answer(self, job: str, fields: dict[str, Any]) -> None:
        self._out.write(json.dumps({"id": job, **fields}, allow_nan=False) + "\n")
        self._out.flush()

    def _interrupted(self, *_: object) -> None:
        """Only a task that was cancelled is interrupted; Ctrl-C in the terminal is the server's to answer."""
        if self._current is not None and self._current in self._cancelled:
            raise KeyboardInterrupt

    def _listen(self) -> None:
        for line in self._lines:
            message = json.loads(line)
            if "cancel" in message:
                self._cancelled.add(message["cancel"])
                self._interrupt(message["cancel"])
            else:
                self._waiting.put(message)
        os._exit(0)

    def _interrupt(self, job: str) -> None:
        if self._current == job:
            _thread.interrupt_main(signal.SIGINT)
            again = threading.Timer(_AGAIN_S, self._interrupt, [job])
            again.daemon = True
            again.start()


def _without_folders(text: str, arguments: Mapping[str, Any]) -> str:
    """A sentence as a person knows the files: by name, not by where the project keeps them."""
    songs = [arguments, *arguments.get("songs", ())]
    paths = [song["source"] for song in songs if "source" in song]
    paths += [path for song in songs for path, _ in song.get("references", ())]
    for path in paths:
        text = text.replace(path, Path(path).name)
    return text


def main() -> None:
    """Entry point: `python -m neural_mastering.studio.worker NICENESS`."""
    if hasattr(os, "nice"):
        os.nice(int(sys.argv[1]))
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(
        sys.stderr.fileno(), sys.stdout.fileno()
    )  # what libraries print must not end up among the answers
    Worker(sys.stdin, out).run()


if __name__ == "__main__":
    main()
