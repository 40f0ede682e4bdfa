"""What a stage of the chain did to a song, over time: gain reduction, or what it added."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.controls.catalogue import StageSpec, Value, Values
from neural_mastering.units import db_to_gain, db_to_power, gain_to_db, power_to_db

Float64s = NDArray[np.float64]

POINT_MS = 100.0
"""Spacing of the recorded courses."""

SILENT_DB = -120.0
"""Level of what is added where nothing is."""

_AUDIBLE = 1e-8  # −80 dBFS: below, a quotient of two samples says little


@dataclass(frozen=True)
class StageRecord:
    """One stage of the chain after a song.

    Attributes:
        name: of the stage.
        settings: controls and settings as in the controls file; empty for eq, gain and residual.
        seconds: wall time that the stage took.
        reduction_db: (point,) largest gain reduction of every 100 ms against the stage's own gain when it is idle
            (its make-up), 0 or above.
        change_db: (point,) level of the output over that of the input in every 100 ms.
        added_db: (point,) level of what the stage adds, output less input, over that of the input.
        side_change_db: level of the side over that before, of the whole song; NaN for mono.
    """

    name: str
    settings: Values = field(default_factory=dict)
    seconds: float = 0.0
    reduction_db: Float64s = field(default_factory=lambda: np.zeros(0))
    change_db: Float64s = field(default_factory=lambda: np.zeros(0))
    added_db: Float64s = field(default_factory=lambda: np.zeros(0))
    side_change_db: float = math.nan

    @property
    def time_s(self) -> Float64s:
        """Beginning of each point in seconds."""
        return np.arange(self.change_db.size, dtype=np.float64) * np.float64(POINT_MS / 1000.0)

    @property
    def added_mean_db(self) -> float:
        """Mean of what is added over the points with sound, as power; −120 without any."""
        heard = self.added_db[self.added_db > SILENT_DB]
        return power_to_db(float(db_to_power(heard).mean())) if heard.size else SILENT_DB


class StageMeter:
    """Compares what goes into a stage with what comes out, block by block.

    Args:
        spec: the stage's row in the catalogue.
        values: its controls and settings.
        sample_rate: in Hz.
    """

    def __init__(self, spec: StageSpec, values: Values, sample_rate: int) -> None:
        self._spec, self._values = spec, values
        self._point = max(round(POINT_MS * sample_rate / 1000.0), 1)
        self._rows: list[list[float]] = []  # dry, out, added power; lowest gain
        self._side = [0.0, 0.0]
        self._position = 0

    def push(self, dry: Block, out: Block) -> None:
        """Compare two blocks of the same samples (channel, time)."""
        if dry.shape[0] == 2:
            for i, x in enumerate((dry, out)):
                self._side[i] += float(np.square(x[0] - x[1]).sum())
        powers = [np.square(x).sum(axis=0) for x in (dry, out, out - dry)]
        heard = powers[0] > _AUDIBLE
        gains = np.where(heard, (dry * out).sum(axis=0) / np.where(heard, powers[0], 1.0), np.inf)
        start = 0
        while start < out.shape[1]:
            inside = self._position % self._point
            stop = min(start + self._point - inside, out.shape[1])
            if inside == 0:
                self._rows.append([0.0, 0.0, 0.0, math.inf])
            row = self._rows[-1]
            for i, power in enumerate(powers):
                row[i] += float(power[start:stop].sum())
            row[3] = min(row[3], float(gains[start:stop].min()))
            self._position += stop - start
            start = stop

    def record(self, seconds: float = 0.0) -> StageRecord:
        """What the stage did so far."""
        change_db = np.array([_ratio_db(row[1], row[0], 0.0) for row in self._rows])
        return StageRecord(
            name=self._spec.name,
            settings=self._values,
            seconds=seconds,
            reduction_db=self._reduction_db(change_db),
            change_db=change_db,
            added_db=np.array([max(_ratio_db(row[2], row[0], SILENT_DB), SILENT_DB) for row in self._rows]),
            side_change_db=_ratio_db(self._side[1], self._side[0], math.nan),
        )

    def _reduction_db(self, change_db: Float64s) -> Float64s:
        """With one gain for all bands and channels the largest of any sample; with several the loss of level."""
        if self._spec.effect != "reduction":
            return np.zeros(0)
        idle_db = idle_gain_db(self._spec, self._values)
        if idle_db is None:
            return np.maximum(-change_db, 0.0)
        lowest_db = [
            gain_to_db(max(row[3], 1e-6)) if math.isfinite(row[3]) else idle_db for row in self._rows
        ]
        return np.maximum(idle_db - np.array(lowest_db), 0.0)


def idle_gain_db(spec: StageSpec, values: Values) -> float | None:
    """Gain in dB of a compressor or limiter that reduces nothing; None where bands have different ones."""
    raised = [_one(values.get(key, 0.0)) for key in spec.idle_gain]
    share = _one(values.get(spec.amount, 1.0))
    if share is None or any(value is None for value in raised):
        return None
    raised_db = sum(
        factor * value
        for factor, value in zip(spec.idle_gain.values(), raised, strict=True)
        if value is not None
    )
    return gain_to_db(1.0 + share * (db_to_gain(raised_db) - 1.0))


def _one(value: Value) -> float | None:
    return None if isinstance(value, tuple) else float(value)


def _ratio_db(power: float, over: float, silent: float) -> float:
    return power_to_db(power / over) if power > 0.0 and over > 0.0 else silent
