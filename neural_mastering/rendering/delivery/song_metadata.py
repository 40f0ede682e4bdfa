"""What a song's files say beside the music: tags, cover, loudness, markers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from neural_mastering.audio_io.bext import bext_chunk, holds_loudness, with_loudness
from neural_mastering.audio_io.gain_tags import gain_tags
from neural_mastering.audio_io.riff_chunks import (
    RiffChunk,
    TimeMap,
    append_chunks,
    moved_chunks,
    read_chunks,
)
from neural_mastering.audio_io.tag_writer import write_tags
from neural_mastering.audio_io.tags import Tags, read_tags
from neural_mastering.metering.meter import Readings
from neural_mastering.notes import Note


@dataclass(frozen=True)
class SongMetadata:
    """Of a source.

    Attributes:
        tags: text and pictures.
        chunks: of a WAV source, such as markers.
        first: sample of the source that became the first one of the master.
        source_rate: in Hz.
    """

    tags: Tags
    chunks: tuple[RiffChunk, ...] = ()
    first: int = 0
    source_rate: int = 44_100


def read_metadata(
    path: Path, first: int, sample_rate: int, further: Mapping[str, str] | None = None
) -> SongMetadata:
    """Tags and markers of a source, with further text instead of that of the same name."""
    tags = read_tags(path)
    if further:
        # ID3 frames are carried as they are, so new text means that they are built from the text
        foreign = tags.foreign if tags.id3 is None else [*tags.foreign]
        tags = Tags({**tags.text, **{k: [v] for k, v in further.items()}}, tags.pictures, None, foreign)
    return SongMetadata(tags, tuple(read_chunks(path)), first, sample_rate)


def write_metadata(
    draft: Path, name: str, container: str, readings: Readings, of: SongMetadata, with_gain: bool
) -> tuple[Note, ...]:
    """Put all that a finished file can hold into it; says what it can't.

    Args:
        draft: the file.
        name: that it will have.
        container: what its tags go into.
        readings: of what it holds.
        of: the source.
        with_gain: write loudness tags, and a bext chunk into WAV.
    """
    notes: list[Note] = []
    summary = readings.summary()
    try:
        lost = write_tags(draft, container, of.tags, gain_tags(summary, container) if with_gain else {})
        if lost:
            notes.append(Note("tags_lost", f"not carried over into {name}: {', '.join(lost)}"))
    except Exception as error:  # mutagen raises many types
        why = str(error) or type(error).__name__
        notes.append(Note("tags_lost", f"the tags of {name} could not be written ({why})"))
    notes += _write_chunks(draft, name, container, readings, of, with_gain)
    return tuple(notes)


def _write_chunks(
    draft: Path, name: str, container: str, readings: Readings, of: SongMetadata, with_gain: bool
) -> list[Note]:
    titles = ", ".join(dict.fromkeys(chunk.title for chunk in of.chunks))
    if container != "WAV":
        text = f"not carried over into {name}: {titles} (only WAV holds them)"
        return [Note("markers_lost", text)] if of.chunks else []
    times = TimeMap(of.first, readings.frames, of.source_rate, readings.sample_rate)
    chunks = [
        _with_own_loudness(chunk, readings, with_gain) for chunk in moved_chunks(list(of.chunks), times)
    ]
    if with_gain and all(chunk.name != b"bext" for chunk in chunks):
        chunks.append(RiffChunk(b"bext", bext_chunk(readings.summary())))
    if not chunks:
        return []
    try:
        append_chunks(draft, chunks)
    except Exception as error:  # the music is complete without them
        return [Note("markers_lost", f"not carried over into {name}: {titles or 'bext'} ({error})")]
    return []


def _with_own_loudness(chunk: RiffChunk, readings: Readings, with_gain: bool) -> RiffChunk:
    """The loudness in a bext chunk is that of the old file."""
    if chunk.name == b"bext" and (with_gain or holds_loudness(chunk.data)):
        return replace(chunk, data=with_loudness(chunk.data, readings.summary()))
    return chunk
