"""How loud clipper and limiter leave a song, measured on all of a short one and on excerpts of a long one."""

from collections.abc import Callable, Iterator

from neural_mastering.audio_io.block import Block
from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.rendering.delivery.gain_search import excerpt_blocks, limited_lufs
from neural_mastering.rendering.delivery.spec import DeliverySpec


def loudness_probe(
    blocks: Callable[[], Iterator[Block]], before: LimiterForecast, spec: DeliverySpec
) -> Callable[[float], float]:
    """Loudness in LUFS of the song limited at a gain in dB; excerpts are taken to change as the song does.

    Args:
        blocks: starts the signal before the loudness stage from its beginning.
        before: its survey.
        spec: ceiling, clipper and limiter.
    """

    def lufs(gain_db: float) -> float:
        peak_db = before.readings.true_peak_db + gain_db
        if before.sample is None:
            return limited_lufs(blocks(), before.readings, spec, gain_db, peak_db)
        excerpts, audio = before.sample
        limited = limited_lufs(excerpt_blocks(audio), excerpts.readings, spec, gain_db, peak_db)
        return before.readings.lufs + limited - excerpts.readings.lufs

    return lufs
