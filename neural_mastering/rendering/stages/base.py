"""Stages of a chain that process a stream block by block."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.rendering.stages.record import StageRecord


class StreamStage(ABC):
    """One step of the chain; keeps its state between blocks.

    The output is aligned with the input: sample k that comes out belongs to sample k that went in, whatever
    the stage's latency; a stage that looks ahead gives out less at first and the rest at `flush`. In all, as
    many samples come out as went in. One stage object serves one stream.

    Attributes:
        name: such as "eq"; what `--skip`, `--only` and `--strength` call it.
        latency_samples: the most samples that are held back.
        seconds: wall time that the stage has taken in `run_stages`; in `run_beside`, while others ran, too.
    """

    name: str
    latency_samples: int = 0
    seconds: float = 0.0

    @abstractmethod
    def process(self, block: Block) -> Block:
        """Take the next block (channel, time), give what is ready."""

    def flush(self) -> Block | None:
        """What is still held back when the stream has ended."""
        return None

    def record(self) -> StageRecord:
        """What the stage did so far."""
        return StageRecord(self.name, seconds=self.seconds)


def run_stages(stages: Sequence[StreamStage], blocks: Iterable[Block]) -> Iterator[Block]:
    """Send blocks through stages in series; gives blocks of any length, without empty ones."""
    if not stages:
        yield from blocks
        return
    for block in blocks:
        yield from _through(stages, block)
    for i, stage in enumerate(stages):
        started = time.perf_counter()
        rest = stage.flush()
        stage.seconds += time.perf_counter() - started
        if rest is not None and rest.shape[1]:
            yield from _through(stages[i + 1 :], rest)


def run_beside(stages: Sequence[StreamStage], blocks: Iterator[Block]) -> Iterator[Block]:
    """As `run_stages`, each stage in a thread of its own; the samples are the same."""
    for stage in stages:
        blocks = prefetch(run_stages([stage], blocks))
    return blocks


def _through(stages: Sequence[StreamStage], block: Block) -> Iterator[Block]:
    for stage in stages:
        started = time.perf_counter()
        block = stage.process(block)
        stage.seconds += time.perf_counter() - started
        if not block.shape[1]:
            return
    yield block
