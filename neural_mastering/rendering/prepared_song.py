"""A song on its way: what the chain made of it, and all that is known before its delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from neural_mastering.audio_io.block import Block
from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.rendering.delivery.spec import DeliveryResult
from neural_mastering.rendering.stages.record import StageRecord
from neural_mastering.rendering.tone.tone import Tone


@dataclass(frozen=True)
class RenderedSong:
    """What the chain makes of a song, before its delivery.

    Attributes:
        blocks: starts the samples from the beginning.
        forecast: readings, and how loud a limiter would leave it.
        stages: what each stage did.
    """

    blocks: Callable[[], Iterator[Block]]
    forecast: LimiterForecast
    stages: tuple[StageRecord, ...] = ()


@dataclass(frozen=True)
class PreparedSong:
    """A song up to its delivery.

    Attributes:
        song, tone, rendered: of each step.
        seconds: that each step took.
        delivered: what brought it to its loudness already, in one piece with songs that it joins.
    """

    song: MeasuredSong
    tone: Tone
    rendered: RenderedSong
    seconds: dict[str, float] = field(default_factory=dict)
    delivered: DeliveryResult | None = None
