"""The first step of a master: read the song once and measure it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.disk_buffer import DiskBuffer
from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.errors import InputError
from neural_mastering.metering.forecast import LimiterForecast, forecast
from neural_mastering.metering.meter import Readings
from neural_mastering.metering.preflight import preflight
from neural_mastering.notes import Note


@dataclass(frozen=True)
class MeasuredSong:
    """A source and what it measures.

    Attributes:
        reader: of the file; what its header says.
        blocks: starts the samples from the beginning.
        forecast: readings, and how loud a limiter would leave it.
        warnings: what is worth knowing before it is mastered.
    """

    reader: AudioReader
    blocks: Callable[[], Iterator[Block]]
    forecast: LimiterForecast
    warnings: tuple[Note, ...] = ()

    @property
    def readings(self) -> Readings:
        """Loudness, peaks and width of the source."""
        return self.forecast.readings

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self.reader.sample_rate

    @property
    def channels(self) -> int:
        """1 or 2."""
        return self.reader.channels


def measure(source: Path, scratch: Path, resources: ExitStack) -> MeasuredSong:
    """Read a file once and measure it.

    Args:
        source: the audio file.
        scratch: folder for temporary files: what is expensive to decode is kept there.
        resources: closes and removes what the song needs until it is delivered.

    Raises:
        InputError: a file that can't be read as audio, or that holds none.
    """
    reader = resources.enter_context(AudioReader(source))
    blocks = reader.blocks
    first = reader.blocks()
    if not reader.is_cheap:
        buffer = resources.enter_context(DiskBuffer(scratch, reader.channels))
        first, blocks = buffer.keep(first), buffer.blocks
    measured = forecast(prefetch(first), reader.sample_rate, reader.channels, reader.frames)
    if not measured.readings.frames:  # whatever the header promises
        raise InputError(f"{source} holds no audio: export it again")
    return MeasuredSong(reader, blocks, measured, tuple(preflight(reader, measured.readings)))
