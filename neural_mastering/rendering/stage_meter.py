"""What a stage of the chain did to a song, over time: gain reduction, or what it added."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neural_mastering.rendering.audio_reader import Block

Float64s = NDArray[np.float64]
Values = Mapping[str, float | tuple[float, ...]]

POINT_MS = 100.0
_AUDIBLE = 1e-8  # −80 dBFS: below, a quotient of two samples says little
_LEAST_DB = -120.0


@dataclass(frozen=True)
class StageRecord:
    """One stage of the chain after a song.

    Attributes:
        name: of the stage.
        settings: controls and settings as in the controls file; empty for stages without.
        seconds: wall time that the stage took.
        reduction_db: (point,) largest gain reduction of every 100 ms against the stage's own gain when it is idle
            (its make-up), 0 or above; empty for stages that are no dynamics.
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
        heard = self.added_db[self.added_db > _LEAST_DB]
        return 10.0 * math.log10(float((10.0 ** (heard / 10.0)).mean())) if heard.size else _LEAST_DB


class StageMeter:
    """Compares what goes into a stage with what comes out, block by block.

    Args:
        values: the stage's controls.
        sample_rate: in Hz.
    """

    def __init__(self, values: Values, sample_rate: int) -> None:
        self._point = max(round(POINT_MS * sample_rate / 1000.0), 1)
        self._rows: list[list[float]] = []  # dry, out, added power; lowest gain
        self._side = [0.0, 0.0]
        self._position = 0
        self._idle_db = idle_gain_db(values)

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

    @property
    def change_db(self) -> Float64s:
        """Level of the output over that of the input in every 100 ms so far; 0 where it is silent."""
        return np.array([_ratio_db(row[1], row[0], 0.0) for row in self._rows])

    @property
    def reduction_db(self) -> Float64s:
        """Gain reduction of every 100 ms so far, 0 or above.

        With one gain for all bands and channels the largest of any sample; with several bands the loss of level.
        """
        idle_db = self._idle_db
        if idle_db is None:
            return np.maximum(-self.change_db, 0.0)
        lowest_db = [
            20.0 * math.log10(max(row[3], 1e-6)) if math.isfinite(row[3]) else idle_db for row in self._rows
        ]
        return np.maximum(idle_db - np.array(lowest_db), 0.0)

    @property
    def added_db(self) -> Float64s:
        """Level of output less input over that of the input in every 100 ms so far; −120 where nothing is."""
        return np.array([max(_ratio_db(row[2], row[0], _LEAST_DB), _LEAST_DB) for row in self._rows])

    @property
    def side_change_db(self) -> float:
        """Level of the side over that before; NaN where there was none."""
        return _ratio_db(self._side[1], self._side[0], math.nan)


def idle_gain_db(values: Values) -> float | None:
    """Gain in dB of a compressor or limiter that reduces nothing; None where the bands have different ones."""
    if "ceiling_db" in values:
        raised_db, share = _one(values["ceiling_db"]), _one(values.get("amount", 1.0))
        threshold_db = _one(values["threshold_db"])
        assert raised_db is not None and threshold_db is not None and share is not None
        raised_db -= threshold_db
    else:
        raised_db, share = _one(values.get("makeup_db", 0.0)), _one(values.get("mix", 1.0))
    if raised_db is None or share is None:
        return None
    return 20.0 * math.log10(1.0 + share * (10.0 ** (raised_db / 20.0) - 1.0))


def _one(value: float | tuple[float, ...]) -> float | None:
    return None if isinstance(value, tuple) else float(value)


def _ratio_db(power: float, over: float, silent: float) -> float:
    return 10.0 * math.log10(power / over) if power > 0.0 and over > 0.0 else silent
