"""The beginning and the end of a song: silence, clicks, and waveforms that start or stop on a step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.metering.cell_peaks import CellPeaks
from neural_mastering.units import db_to_gain, gain_to_db

CELL_MS = 1.0
SILENT_BELOW_PEAK_DB = -80.0
"""Samples below the song's peak by more than this count as silence: a master's noise, not its fade."""

CLICK_MS, APART_MS = 20.0, 100.0
"""A click is no longer than the one, and silence of the other lies between it and the music."""

CLICK_DBFS = -60.0
"""Quieter ones are left out."""

_LOOK_MS = 20.0
_STEP_RATIO, _STEP_DBFS = 2.0, -50.0


@dataclass(frozen=True)
class EdgeClick:
    """A short sound apart from the music.

    Attributes:
        time_s: where it begins.
        level_db: its highest sample in dBFS.
        is_before: it precedes the music.
    """

    time_s: float
    level_db: float
    is_before: bool


@dataclass(frozen=True)
class Edges:
    """Where a song's music is.

    Attributes:
        sample_rate: in Hz.
        frames: of the song.
        start, end: first sample of the music and the one behind its last, to 1 ms; 0 and `frames` for silence.
        clicks: apart from the music.
        start_step_db, end_step_db: height in dBFS of the step from or to silence at the file's ends, where it
            stands out of what is beside it; −inf elsewhere.
        head, tail: (channel, time) its first and last 20 ms.
    """

    sample_rate: int
    frames: int
    start: int
    end: int
    clicks: tuple[EdgeClick, ...] = ()
    start_step_db: float = -math.inf
    end_step_db: float = -math.inf
    head: Block = field(default_factory=lambda: np.zeros((1, 0)), repr=False, compare=False)
    tail: Block = field(default_factory=lambda: np.zeros((1, 0)), repr=False, compare=False)

    @property
    def leading_s(self) -> float:
        """What lies before the music."""
        return self.start / self.sample_rate

    @property
    def trailing_s(self) -> float:
        """What lies behind the music."""
        return (self.frames - self.end) / self.sample_rate


class EdgeMeter:
    """Reads blocks (channel, time); `finish` gives the edges.

    Args:
        sample_rate: in Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._cell = max(round(CELL_MS * sample_rate / 1000.0), 1)
        self._look = max(round(_LOOK_MS * sample_rate / 1000.0), 2)
        self._cells = CellPeaks(self._cell)
        self._frames = 0
        self._head: Block | None = None
        self._tail: Block | None = None

    def push(self, block: Block) -> None:
        """Read the next block."""
        if not block.shape[1]:
            return
        if self._head is None:
            self._head = block[:, :0]
        if self._head.shape[1] < self._look:
            self._head = np.concatenate([self._head, block[:, : self._look]], axis=1)[:, : self._look]
        before = block[:, :0] if self._tail is None else self._tail
        self._tail = np.concatenate([before, block[:, -self._look :]], axis=1)[:, -self._look :]
        self._frames += block.shape[1]
        self._cells.push(block)

    def finish(self) -> Edges:
        """The edges of all blocks so far."""
        self._cells.close()
        changes = self._cells.changes(self._cells.highest() * db_to_gain(SILENT_BELOW_PEAK_DB))
        if not changes.size:
            return Edges(self._rate, self._frames, 0, self._frames)
        runs = _runs(changes, round(APART_MS / CELL_MS))
        first, last = _without_clicks(runs, round(CLICK_MS / CELL_MS))
        clicks = [
            EdgeClick(start * self._cell / self._rate, gain_to_db(level), place < first)
            for place, (start, stop) in enumerate(runs)
            if not first <= place <= last
            and (level := self._cells.highest(start, stop)) >= db_to_gain(CLICK_DBFS)
        ]
        assert self._head is not None and self._tail is not None
        return Edges(
            self._rate,
            self._frames,
            runs[first][0] * self._cell,
            min(runs[last][1] * self._cell, self._frames),
            tuple(clicks),
            _step_db(self._head),
            _step_db(self._tail[:, ::-1]),
            self._head,
            self._tail,
        )


def _runs(changes: NDArray[np.int64], apart: int) -> list[tuple[int, int]]:
    """Runs of cells with sound, with at least `apart` silent ones between them, from where it begins and ends."""
    starts, stops = changes[::2], changes[1::2]
    is_far = starts[1:] - stops[:-1] >= apart
    first, last = np.concatenate([[True], is_far]), np.concatenate([is_far, [True]])
    return [(int(start), int(stop)) for start, stop in zip(starts[first], stops[last], strict=True)]


def _without_clicks(runs: list[tuple[int, int]], longest: int) -> tuple[int, int]:
    """First and last run of the music: short ones at both ends are clicks, unless there is nothing else."""
    is_long = [place for place, (start, stop) in enumerate(runs) if stop - start > longest]
    return (is_long[0], is_long[-1]) if is_long else (0, len(runs) - 1)


def _step_db(edge: Block) -> float:
    """Height of the first sample's step from silence where it stands out of the steps behind it."""
    height = float(np.abs(edge[:, 0]).max())
    beside = float(np.abs(np.diff(edge, axis=1)).max(initial=0.0))
    stands_out = height > _STEP_RATIO * beside and height > db_to_gain(_STEP_DBFS)
    return gain_to_db(height) if stands_out else -math.inf
