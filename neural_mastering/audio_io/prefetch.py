"""Blocks computed ahead in a second thread: reading and filtering on one core, metering and writing on another."""

import threading
from collections.abc import Iterator, Sequence
from queue import Empty, Full, Queue

from neural_mastering.audio_io.block import Block, BlockReader

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


def read_beside(blocks: Iterator[Block], readers: Sequence[BlockReader]) -> Iterator[Block]:
    """The same blocks; each reader reads them too, in a thread of its own, a few blocks behind at the most.

    When the stream has ended the readers have read all of it. Their errors come out here.
    """
    threads = [_ReaderThread(reader) for reader in readers]
    try:
        for block in blocks:
            for thread in threads:
                thread.push(block)
            yield block
        for thread in threads:
            thread.finish()
    finally:
        for thread in threads:
            thread.stop()


class _ReaderThread:
    def __init__(self, reader: BlockReader) -> None:
        self._reader = reader
        self._queue: Queue[Block | None] = Queue(maxsize=_DEPTH)
        self._error: BaseException | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def push(self, block: Block | None) -> None:
        """Hand over the next block, or None at the end."""
        while self._error is None and self._thread.is_alive():
            try:
                self._queue.put(block, timeout=_POLL_S)
                return
            except Full:
                continue  # lets a Ctrl-C through
        self._raise()

    def finish(self) -> None:
        """Wait until all blocks are read."""
        self.push(None)
        while self._thread.is_alive():
            self._thread.join(_POLL_S)
        self._raise()

    def stop(self) -> None:
        """Read no more."""
        self._stopped.set()
        self._thread.join()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            while not self._stopped.is_set():
                try:
                    block = self._queue.get(timeout=_POLL_S)
                except Empty:
                    continue
                if block is None:
                    return
                self._reader.push(block)
        except BaseException as error:
            self._error = error
