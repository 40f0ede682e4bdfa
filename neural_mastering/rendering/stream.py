"""Stages of a chain that process a stream block by block."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from neural_mastering.rendering.audio_reader import Block
from neural_mastering.rendering.stage_meter import StageRecord


class StreamStage(ABC):
    """One step of the chain; keeps its state between blocks.

    The output is aligned with the input: sample k that comes out belongs to sample k that went in, whatever
    the stage's latency; a stage that looks ahead gives out less at first and the rest at `flush`. In all, as
    many samples come out as went in. One stage object serves one stream.

    Attributes:
        name: such as "eq"; what `--skip`, `--only` and `--strength` call it.
        latency_samples: the most samples that are held back.
        seconds: wall time that the stage has taken in `run_stages`.
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


def _through(stages: Sequence[StreamStage], block: Block) -> Iterator[Block]:
    for stage in stages:
        started = time.perf_counter()
        block = stage.process(block)
        stage.seconds += time.perf_counter() - started
        if not block.shape[1]:
            return
    yield block


class Blend(StreamStage):
    """Part of a stage's effect: x + strength·(stage(x) − x)."""

    def __init__(self, stage: StreamStage, strength: float) -> None:
        self.name, self.latency_samples = stage.name, stage.latency_samples
        self._stage, self._strength = stage, strength
        self._waiting: Block | None = None

    def process(self, block: Block) -> Block:
        """Blend as much as the stage gives."""
        self._waiting = block if self._waiting is None else np.concatenate([self._waiting, block], axis=1)
        return self._mixed(self._stage.process(block))

    def flush(self) -> Block | None:
        """Blend the rest."""
        rest = self._stage.flush()
        return None if rest is None else self._mixed(rest)

    def _mixed(self, wet: Block) -> Block:
        assert self._waiting is not None
        dry = self._waiting[:, : wet.shape[1]]
        self._waiting = self._waiting[:, wet.shape[1] :]
        return dry + self._strength * (wet - dry)
