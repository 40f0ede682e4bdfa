"""A ceiling that holds after the encoders: lower it by what they add, and no more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.disk_buffer import DiskBuffer
from neural_mastering.audio_io.file_format import Encoding
from neural_mastering.audio_io.writer import AtomicWriter
from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.rendering.delivery.codec_reading import CodecReading, read_codec
from neural_mastering.rendering.delivery.float_master import FloatMaster
from neural_mastering.rendering.delivery.loop import TOLERANCE_LU, deliver
from neural_mastering.rendering.delivery.spec import DeliveryResult, DeliverySpec

FURTHER_PASSES = 3
"""How often a song is delivered again under a lower ceiling."""

CLOSE_DB = 0.1
"""Decoded peaks this near the ceiling are near enough."""

_MARGINS_DB = (0.04, 0.1, 0.2)


_HELPS = 0.3  # decibels off the decoded peak for each one off the ceiling


@dataclass(frozen=True)
class CeilingAttempt:
    """A delivery and what came of it.

    Attributes:
        lowered_db: by how much its ceiling was lower than the one to be kept.
        quieter_db: by how much its loudness was lower than the target.
        over_db: how far the decoded peak passed the ceiling to be kept.
    """

    lowered_db: float
    quieter_db: float
    over_db: float


@dataclass(frozen=True)
class DeliveredMaster:
    """A delivered song.

    Attributes:
        result: of the delivery.
        writer: the closed draft.
        samples: before rounding; None where no encoder needs them.
        lowered_db: by how much the ceiling was lowered for the encoders.
        quieter_db: by how much the loudness was lowered, where a lower ceiling did not help.
        codecs: of the promised encodings.
    """

    result: DeliveryResult
    writer: AtomicWriter
    samples: FloatMaster | None = None
    lowered_db: float = 0.0
    quieter_db: float = 0.0
    codecs: tuple[CodecReading, ...] = ()

    @property
    def over_db(self) -> float:
        """How far the worst promised encoding passes the ceiling; negative below it."""
        return max((codec.reading.over_db for codec in self.codecs), default=float("-inf"))

    @property
    def attempt(self) -> CeilingAttempt:
        """What was tried, in numbers."""
        return CeilingAttempt(self.lowered_db, self.quieter_db, self.over_db)


def deliver_safely(
    blocks: Callable[[], Iterator[Block]],
    before: LimiterForecast,
    spec: DeliverySpec,
    open_writer: Callable[[], AtomicWriter],
    safe: Sequence[Encoding],
    scratch: Path | None,
    resources: ExitStack,
) -> DeliveredMaster:
    """Deliver a song so that its ceiling holds after encoders, too.

    The song is delivered and each encoding decoded and measured. Where one passes the ceiling, the ceiling of the
    delivery is lowered and the song delivered again, at most three times; where that does not help, or only one
    pass is left, its loudness too, so that the promise is kept before the target. The highest ceiling that keeps it
    is taken; where none does, the one that comes nearest.

    Args:
        blocks, before, spec, open_writer: as for `deliver`.
        safe: encodings after which the ceiling must hold; none for a plain delivery.
        scratch: folder for the samples before rounding; None where no encoder needs them.
        resources: closes what the samples are kept in.
    """
    readings = before.readings
    channels = len(readings.channel_power)
    promised = safe if spec.ceiling_db is not None else ()

    def deliver_lowered(lowered_db: float, quieter_db: float, most_lufs: float = math.inf) -> DeliveredMaster:
        lower = replace(
            spec,
            ceiling_db=None if spec.ceiling_db is None else spec.ceiling_db - lowered_db,
            lufs=None if spec.lufs is None else min(spec.lufs - quieter_db, most_lufs),
        )
        if scratch is None:
            return DeliveredMaster(*deliver(blocks, before, lower, open_writer))
        buffer = resources.enter_context(DiskBuffer(scratch, channels))
        result, writer = deliver(blocks, before, lower, open_writer, buffer)
        try:
            limiter = spec.settings if spec.limits else None
            samples = FloatMaster(buffer.blocks, readings.sample_rate, channels, lower.ceiling_db, limiter)
            codecs = tuple(
                replace(read_codec(samples, encoding, spec.promised_db), promised=True)
                for encoding in promised
            )
        except BaseException:
            writer.abandon()
            raise
        if quieter_db > TOLERANCE_LU and result.limited_by is None:
            result = replace(result, limited_by="encoder")
        return DeliveredMaster(result, writer, samples, lowered_db, quieter_db, codecs)

    best = deliver_lowered(0.0, 0.0)
    if spec.ceiling_db is None or best.over_db <= 0.0:
        return best
    tried = [best.attempt]
    try:
        for _ in range(FURTHER_PASSES):
            lowered_db, quieter_db = next_lowering_db(tried)
            # turned down from what was reached, which may lie below the target
            most_lufs = (
                best.result.readings.lufs + best.quieter_db - quieter_db if quieter_db > 0.0 else math.inf
            )
            other = deliver_lowered(lowered_db, quieter_db, most_lufs)
            tried.append(other.attempt)
            worse = best if _is_better(other, best) else other
            best = other if worse is best else best
            worse.writer.abandon()
            if -CLOSE_DB <= best.over_db <= 0.0 or (best.over_db <= 0.0 and best.quieter_db > 0.0):
                break
    except BaseException:
        best.writer.abandon()
        raise
    return best


def next_lowering_db(tried: Sequence[CeilingAttempt]) -> tuple[float, float]:
    """By how many dB to lower the ceiling next, and by how many the loudness.

    While nothing was safe, the ceiling: by the largest overshoot so far (decoded peak less the ceiling of the
    delivery) and a margin that grows from try to try, since overshoots differ between tries. Then between the
    lowest ceiling that was too high and the highest that was safe: where the line through both lies just below the
    one to be kept. Where a lower ceiling does not help, since the decoded peak lies where nothing is limited, and
    where nothing was safe before the last pass, the best try itself is turned down.

    Args:
        tried: attempts, the first of them with nothing lowered, and over the ceiling.
    """
    margin_db = _MARGINS_DB[min(len(tried), len(_MARGINS_DB)) - 1]
    safe = [attempt for attempt in tried if attempt.over_db <= 0.0]
    if not safe and (len(tried) >= FURTHER_PASSES or not _limiting_helps(tried)):
        best = min(tried, key=lambda attempt: attempt.over_db)
        more_db = best.over_db + margin_db
        return best.lowered_db + more_db, best.quieter_db + more_db
    if not safe:
        return max(attempt.lowered_db + attempt.over_db for attempt in tried) + margin_db, 0.0
    too_high = max((a for a in tried if a.over_db > 0.0), key=lambda attempt: attempt.lowered_db)
    low = min(safe, key=lambda attempt: attempt.lowered_db)
    if too_high.lowered_db >= low.lowered_db:  # encoders are not monotone
        return 0.5 * low.lowered_db, 0.0
    share = (too_high.over_db + _MARGINS_DB[0]) / (too_high.over_db - low.over_db)
    return too_high.lowered_db + min(max(share, 0.1), 0.9) * (low.lowered_db - too_high.lowered_db), 0.0


def _limiting_helps(tried: Sequence[CeilingAttempt]) -> bool:
    """Whether the decoded peak follows the ceiling; also where only one was tried."""
    first, last = tried[0], tried[-1]
    if last.quieter_db > 0.0:
        return False
    return first.over_db - last.over_db >= _HELPS * (last.lowered_db - first.lowered_db)


def _is_better(new: DeliveredMaster, old: DeliveredMaster) -> bool:
    """Whether a delivery keeps the promise under a higher ceiling, or comes nearer to it."""
    if (new.over_db <= 0.0) != (old.over_db <= 0.0):
        return new.over_db <= 0.0
    if new.over_db <= 0.0:
        return (new.quieter_db, new.lowered_db) < (old.quieter_db, old.lowered_db)
    return new.over_db < old.over_db
