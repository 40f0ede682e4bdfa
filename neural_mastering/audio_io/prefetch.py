"""Blocks computed ahead in a second thread: reading and filtering on one core, metering and writing on another."""

import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue

from neural_mastering.audio_io.block import Block

_DEPTH = 4
_POLL_S = 0.1


def prefetch(blocks: Iterator[Block]) -> Iterator[Block]:
    """The same blocks in the same order; errors come out where they would have.

    The compiled loops and libsndfile work outside the interpreter's lock, so two threads do run at once. The thread
    ends when the blocks do, or when nobody takes them any more.
    """
    queue: Queue[Block | BaseException | None] = Queue(maxsize=_DEPTH)
    abandoned = threading.Event()

    def put(item: Block | BaseException | None) -> bool:
        while not abandoned.is_set():
            try:
                queue.put(item, timeout=_POLL_S)
                return True
            except Full:
                continue
        return False

    def work() -> None:
        try:
            for block in blocks:
                if not put(block):
                    return
            put(None)
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = queue.get(timeout=_POLL_S)
            except Empty:
                continue  # lets a Ctrl-C through
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        abandoned.set()
        thread.join()
