"""The samples of a master before they are rounded: what encoders are fed."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.resample import resampled
from neural_mastering.dsp.limiter import LimiterSettings
from neural_mastering.rendering.delivery.ceiling_meter import CeilingReading, read_ceiling
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.limiter import LimiterStage
from neural_mastering.units import db_to_gain

_ROUNDS = 3
_MARGIN_DB = 0.002


@dataclass(frozen=True)
class FloatMaster:
    """A delivered song in float32.

    Attributes:
        blocks: starts its samples from the beginning.
        sample_rate: in Hz.
        channels: 1 or 2.
        ceiling_db: what it keeps, dBTP; None with the ceiling off.
        limiter: the settings with which peaks that pass it are taken down; None where no limiter may run.
    """

    blocks: Callable[[], Iterator[Block]]
    sample_rate: int
    channels: int
    ceiling_db: float | None
    limiter: LimiterSettings | None


def at_rate(master: FloatMaster, sample_rate: int) -> FloatMaster:
    """The master at another sample rate in Hz (soxr, VHQ), below its ceiling again.

    Conversion moves peaks: where they pass the ceiling, the limiter runs once more at the new rate, or, where it
    may not, the level is lowered by the excess.
    """
    if sample_rate == master.sample_rate:
        return master

    def plain() -> Iterator[Block]:
        return resampled(master.blocks(), master.sample_rate, sample_rate, master.channels)

    converted = replace(master, blocks=plain, sample_rate=sample_rate)
    ceiling_db = master.ceiling_db
    if ceiling_db is None:
        return converted
    over_db = _read(converted).over_db
    lower_db = 0.0
    for _ in range(_ROUNDS if master.limiter is not None else 0):
        if over_db <= 0.0:
            return converted
        converted = replace(converted, blocks=_limited(plain, converted, ceiling_db - _MARGIN_DB - lower_db))
        over_db = _read(converted).over_db
        lower_db += max(over_db, 0.0) + _MARGIN_DB
    if over_db <= 0.0:
        return converted
    return replace(converted, blocks=_scaled(converted.blocks, db_to_gain(-over_db - _MARGIN_DB)))


def _read(master: FloatMaster) -> CeilingReading:
    ceiling_db = math.inf if master.ceiling_db is None else master.ceiling_db
    return read_ceiling(master.blocks(), master.sample_rate, master.channels, ceiling_db)


def _limited(
    blocks: Callable[[], Iterator[Block]], master: FloatMaster, threshold_db: float
) -> Callable[[], Iterator[Block]]:
    settings = master.limiter or LimiterSettings()

    def start() -> Iterator[Block]:
        return run_stages(
            [LimiterStage(threshold_db, master.sample_rate, master.channels, settings)], blocks()
        )

    return start


def _scaled(blocks: Callable[[], Iterator[Block]], gain: float) -> Callable[[], Iterator[Block]]:
    def start() -> Iterator[Block]:
        return (block * gain for block in blocks())

    return start
