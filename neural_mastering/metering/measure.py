"""The first step of a master: read the song once and measure it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from neural_mastering.audio_io.block import Block, BlockReader, cut
from neural_mastering.audio_io.disk_buffer import DiskBuffer
from neural_mastering.audio_io.prefetch import prefetch, read_beside
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.errors import InputError
from neural_mastering.metering.edges import Edges
from neural_mastering.metering.forecast import LimiterForecast, forecast
from neural_mastering.metering.inspection import SongInspection, SongInspector
from neural_mastering.metering.inspection_notes import inspection_notes
from neural_mastering.metering.meter import Readings
from neural_mastering.metering.preflight import preflight
from neural_mastering.notes import Note

_TRIMMED_AWAY = ("leading_silence", "trailing_silence", "edge_click")


@dataclass(frozen=True)
class MeasuredSong:
    """A source and what it measures.

    Attributes:
        reader: of the file; what its header says.
        blocks: starts the samples from the beginning.
        forecast: readings, and how loud a limiter would leave it.
        warnings: what is worth knowing before it is mastered.
        inspection: of the whole file.
        first_frame: sample of the file that is the song's first one.
    """

    reader: AudioReader
    blocks: Callable[[], Iterator[Block]]
    forecast: LimiterForecast
    warnings: tuple[Note, ...] = ()
    inspection: SongInspection = field(default_factory=lambda: SongInspection(Edges(44_100, 0, 0, 0)))
    first_frame: int = 0

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


def measure(
    source: Path,
    scratch: Path,
    resources: ExitStack,
    trims: bool = False,
    beside: Callable[[int, int], Sequence[BlockReader]] | None = None,
) -> MeasuredSong:
    """Read a file once and measure it.

    Args:
        source: the audio file.
        scratch: folder for temporary files: what is expensive to decode is kept there.
        resources: closes and removes what the song needs until it is delivered.
        trims: leave out what precedes and follows the music.
        beside: gives, for a sample rate in Hz and a number of channels, what else reads the whole file now.

    Raises:
        InputError: a file that can't be read as audio, or that holds none.
    """
    reader = resources.enter_context(AudioReader(source))
    blocks = reader.blocks
    first = reader.blocks()
    if not reader.is_cheap:
        buffer = resources.enter_context(DiskBuffer(scratch, reader.channels))
        first, blocks = buffer.keep(first), buffer.blocks
    inspector = SongInspector(reader.sample_rate, reader.channels, reader.frames)
    others = () if beside is None else beside(reader.sample_rate, reader.channels)
    passing = inspector.watch(read_beside(first, others))
    measured = forecast(prefetch(passing), reader.sample_rate, reader.channels, reader.frames)
    readings = measured.readings
    if not readings.frames:  # whatever the header promises
        raise InputError(f"{source} holds no audio: export it again")
    found = inspector.finish()
    notes = preflight(reader, readings)
    if any(readings.channel_power):
        notes += inspection_notes(found, readings.lufs, reader.is_lossless)
    if trims:
        notes = [note for note in notes if note.kind not in _TRIMMED_AWAY]
    song = MeasuredSong(reader, blocks, measured, tuple(notes), found)
    return trimmed(song) if trims else song


def trimmed(song: MeasuredSong, at_start: bool = True, at_end: bool = True) -> MeasuredSong:
    """The song from its first to its last music, measured again where that is less than all of it."""
    edges = song.inspection.edges
    start, end = edges.start if at_start else 0, edges.end if at_end else edges.frames
    if start == 0 and end == edges.frames:
        return song

    def blocks() -> Iterator[Block]:
        return cut(song.blocks(), start, end)

    frames = end - start
    measured = forecast(prefetch(blocks()), song.sample_rate, song.channels, frames)
    return replace(song, blocks=blocks, forecast=measured, first_frame=start)
