"""A ceiling that holds after the encoders: lower it by what they add, and no more."""

from __future__ import annotations

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
from neural_mastering.rendering.delivery.loop import DeliveryResult, DeliverySpec, deliver

FURTHER_PASSES = 3
"""How often a song is delivered again under a lower ceiling."""

CLOSE_DB = 0.1
"""Decoded peaks this near the ceiling are near enough."""

_MARGINS_DB = (0.04, 0.1, 0.2)


@dataclass(frozen=True)
class DeliveredMaster:
    """A delivered song.

    Attributes:
        result: of the delivery.
        writer: the closed draft.
        samples: before rounding; None where no encoder needs them.
        lowered_db: by how much the ceiling was lowered for the encoders.
        codecs: of the promised encodings.
    """

    result: DeliveryResult
    writer: AtomicWriter
    samples: FloatMaster | None = None
    lowered_db: float = 0.0
    codecs: tuple[CodecReading, ...] = ()

    @property
    def over_db(self) -> float:
        """How far the worst promised encoding passes the ceiling; negative below it."""
        return max((codec.reading.over_db for codec in self.codecs), default=float("-inf"))


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
    delivery is lowered and the song delivered again, at most three times. The highest ceiling that keeps the
    promise is taken; where none does, the one that comes nearest.

    Args:
        blocks, before, spec, open_writer: as for `deliver`.
        safe: encodings after which the ceiling must hold; none for a plain delivery.
        scratch: folder for the samples before rounding; None where no encoder needs them.
        resources: closes what the samples are kept in.
    """
    readings = before.readings
    channels = len(readings.channel_power)
    promised = safe if spec.ceiling_db is not None else ()

    def deliver_lowered(lowered_db: float) -> DeliveredMaster:
        lower = replace(spec, ceiling_db=None if spec.ceiling_db is None else spec.ceiling_db - lowered_db)
        if scratch is None:
            return DeliveredMaster(*deliver(blocks, before, lower, open_writer))
        buffer = resources.enter_context(DiskBuffer(scratch, channels))
        result, writer = deliver(blocks, before, lower, open_writer, buffer)
        try:
            limiter = spec.settings if spec.max_reduction_db > 0.0 else None
            samples = FloatMaster(buffer.blocks, readings.sample_rate, channels, lower.ceiling_db, limiter)
            codecs = tuple(
                replace(read_codec(samples, encoding, spec.ceiling_db), promised=True)
                for encoding in promised
            )
        except BaseException:
            writer.abandon()
            raise
        return DeliveredMaster(result, writer, samples, lowered_db, codecs)

    best = deliver_lowered(0.0)
    if spec.ceiling_db is None or best.over_db <= 0.0:
        return best
    tried = [(0.0, best.over_db)]
    try:
        for _ in range(FURTHER_PASSES):
            other = deliver_lowered(next_lowering_db(tried))
            tried.append((other.lowered_db, other.over_db))
            worse = best if _is_better(other, best) else other
            best = other if worse is best else best
            worse.writer.abandon()
            if -CLOSE_DB <= best.over_db <= 0.0:
                break
    except BaseException:
        best.writer.abandon()
        raise
    return best


def next_lowering_db(tried: Sequence[tuple[float, float]]) -> float:
    """By how many dB to lower the ceiling next.

    While nothing was safe: the largest overshoot so far (decoded peak less the ceiling of the delivery) and a
    margin that grows from try to try, since overshoots differ between tries. Then between the lowest ceiling that
    was too high and the highest that was safe: where the line through both lies just below the one to be kept.

    Args:
        tried: (lowering, how far the decoded peak passed the ceiling) in dB, the first of them (0, above 0).
    """
    too_high, over_db = max((lowered, over) for lowered, over in tried if over > 0.0)
    safe = [(lowered, over) for lowered, over in tried if over <= 0.0]
    if not safe:
        overshoot_db = max(lowered + over for lowered, over in tried)
        return overshoot_db + _MARGINS_DB[min(len(tried), len(_MARGINS_DB)) - 1]
    low_enough, under_db = min(safe)
    if too_high >= low_enough:  # encoders are not monotone
        return 0.5 * low_enough
    share = (over_db + _MARGINS_DB[0]) / (over_db - under_db)
    return too_high + min(max(share, 0.1), 0.9) * (low_enough - too_high)


def _is_better(new: DeliveredMaster, old: DeliveredMaster) -> bool:
    """Whether a delivery keeps the promise under a higher ceiling, or comes nearer to it."""
    if (new.over_db <= 0.0) != (old.over_db <= 0.0):
        return new.over_db <= 0.0
    return new.lowered_db < old.lowered_db if new.over_db <= 0.0 else new.over_db < old.over_db
