"""What encoders make of a master, as notes."""

from collections.abc import Iterator

from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.codec_reading import CodecReading
from neural_mastering.rendering.result import MasterResult
from neural_mastering.reporting.markup import number


def codec_actions(result: MasterResult) -> Iterator[Note]:
    """By how much the ceiling was lowered, and one sentence an encoder."""
    if result.lowered_db > 0.0:
        yield Note(
            "codec_safe",
            f"the ceiling was lowered by {number(result.lowered_db, 2)} dB, so that it holds after the encoder",
        )
    for codec in result.codecs:
        yield Note("codec", _sentence(codec))


def codec_warnings(result: MasterResult) -> Iterator[Note]:
    """Ceilings that do not hold after an encoder."""
    ceiling_db = result.target.ceiling_db
    if ceiling_db is None:
        return
    broken = [codec for codec in result.codecs if codec.is_over and codec.promised]
    if broken:
        yield Note(
            "codec_ceiling_not_kept",
            f"{number(ceiling_db)} dBTP could not be kept after {_names(broken)} by lowering the ceiling by "
            f"{number(result.lowered_db, 2)} dB: set a lower --ceiling or --target",
        )
    over = [codec for codec in result.codecs if codec.is_over and not codec.promised]
    if over:
        yield Note(
            "codec_over",
            f"peaks pass the ceiling of {number(ceiling_db)} dBTP after {_names(over)}: --codec-safe "
            f"{','.join(codec.encoding.name for codec in over)} lowers it by what is needed",
        )


def _names(codecs: list[CodecReading]) -> str:
    return ", ".join(
        f"{codec.encoding.title} ({number(codec.readings.true_peak_db, 2)} dBTP)" for codec in codecs
    )


def _sentence(codec: CodecReading) -> str:
    readings, clipped = codec.readings, codec.reading.clipped_samples
    samples = "no sample" if not clipped else f"{clipped} sample{'s' if clipped > 1 else ''}"
    return (
        f"after {codec.encoding.title}: {number(readings.lufs)} LUFS, {number(readings.true_peak_db, 2)} dBTP, "
        f"{samples} over full scale"
    )
