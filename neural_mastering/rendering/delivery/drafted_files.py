"""The audio files of one master: the one that was named, and further formats from the same samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.encoded_draft import EncodedDraft
from neural_mastering.audio_io.file_format import Encoding, why_unavailable
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.audio_io.writer import AtomicWriter, OutputFormat, with_bits
from neural_mastering.errors import InputError
from neural_mastering.metering.meter import Readings
from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.codec_reading import CodecReading, read_codec, read_decoded
from neural_mastering.rendering.delivery.codec_safe import DeliveredMaster
from neural_mastering.rendering.delivery.deliverables import Deliverables
from neural_mastering.rendering.delivery.float_master import at_rate
from neural_mastering.rendering.delivery.song_metadata import SongMetadata, write_metadata


@dataclass(frozen=True)
class DraftedFile:
    """A complete file that has not yet got its name.

    Attributes:
        draft: commits or abandons it.
        readings: of what it holds; of a lossy file, decoded.
        codec: of a lossy file.
    """

    draft: AtomicWriter | EncodedDraft
    readings: Readings
    codec: CodecReading | None = None


@dataclass(frozen=True)
class DraftedFiles:
    """All audio files of one master.

    Attributes:
        master: the one that was named.
        copies: further ones.
        codecs: what encoders make of the master, those of the written files first.
        notes: what went wrong.
    """

    master: DraftedFile
    copies: tuple[DraftedFile, ...] = ()
    codecs: tuple[CodecReading, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def copy_paths(self) -> tuple[Path, ...]:
        """Names that the further files will have."""
        return tuple(file.draft.path for file in self.copies)

    def write_metadata(self, of: SongMetadata, with_gain: bool) -> tuple[Note, ...]:
        """Put the source's tags and markers into every file, and its loudness where that is wished."""
        notes: list[Note] = []
        for file in (self.master, *self.copies):
            draft = file.draft
            notes += write_metadata(
                draft.draft, draft.path.name, draft.form.container, file.readings, of, with_gain
            )
        return tuple(notes)

    def commit(self) -> None:
        """Give every file its name, the master first.

        Raises:
            InputError: one can't be renamed; those before it stay.
        """
        for file in (self.master, *self.copies):
            file.draft.commit()

    def abandon(self) -> None:
        """Remove what has not got its name."""
        for file in (self.master, *self.copies):
            file.draft.abandon()


def draft_files(
    delivered: DeliveredMaster,
    form: OutputFormat,
    asked: Deliverables,
    ceiling_db: float | None,
    overwrite: bool,
) -> DraftedFiles:
    """Every file of a delivered song, complete but for its tags and its name, and what encoders make of it.

    A further file that fails is left out and said; the others go on.

    Raises:
        InputError: the file that was named can't be written.
    """
    path = delivered.writer.path
    if form.is_direct:
        master = DraftedFile(delivered.writer, delivered.result.readings)
    else:
        master = _encoded(delivered, delivered.writer, path, form, ceiling_db, overwrite)
    found: list[DraftedFile] = []
    notes: list[Note] = []
    try:
        for copy_path, encoding in asked.copies(path):
            try:
                found.append(_copy(delivered, copy_path, encoding, ceiling_db, overwrite))
            except InputError as error:
                notes.append(Note("copy_failed", str(error)))
        written = [file.codec for file in (master, *found) if file.codec is not None]
        checked, missing = _checked(delivered, asked, written, ceiling_db)
    except BaseException:
        for file in (master, *found):
            file.draft.abandon()
        raise
    return DraftedFiles(master, tuple(found), (*written, *checked), (*notes, *missing))


def _checked(
    delivered: DeliveredMaster, asked: Deliverables, written: list[CodecReading], ceiling_db: float | None
) -> tuple[list[CodecReading], list[Note]]:
    """What is known of the encodings that were asked about beyond the written files."""
    known = {codec.encoding for codec in written}
    found = [codec for codec in delivered.codecs if codec.encoding not in known]
    known |= {codec.encoding for codec in found}
    notes: list[Note] = []
    for encoding in asked.check:
        if encoding in known:
            continue
        why = why_unavailable(encoding.format)
        if why is not None:
            notes.append(Note("codec_unavailable", f"not checked after {encoding.title}: {why}"))
            continue
        assert delivered.samples is not None
        try:
            found.append(read_codec(delivered.samples, encoding, ceiling_db))
        except InputError as error:
            notes.append(Note("codec_unavailable", f"not checked after {encoding.title}: {error}"))
    return found, notes


def _copy(
    delivered: DeliveredMaster, path: Path, encoding: Encoding, ceiling_db: float | None, overwrite: bool
) -> DraftedFile:
    main = delivered.writer.form
    bits = None if encoding.format.is_lossy or main.is_lossy or main.bits == "32f" else main.bits
    form = with_bits(encoding, bits, None, main.bits == "32f" and not main.is_lossy)
    if form.is_lossy:
        return _encoded(delivered, delivered.writer, path, form, ceiling_db, overwrite)
    writer = _lossless(delivered, path, form, overwrite)
    if form.is_direct:
        return DraftedFile(writer, delivered.result.readings)
    try:
        return _encoded(delivered, writer, path, form, ceiling_db, overwrite)
    finally:
        writer.abandon()


def _lossless(delivered: DeliveredMaster, path: Path, form: OutputFormat, overwrite: bool) -> AtomicWriter:
    """The samples of the master where the bits agree; otherwise those before rounding, rounded once."""
    samples, main = delivered.samples, delivered.writer
    assert samples is not None
    frames = delivered.result.readings.frames
    same = form.bits == main.form.bits
    writer = AtomicWriter(
        path, form, samples.sample_rate, samples.channels, frames, overwrite=overwrite, keep_grid=same
    )
    try:
        for block in _stored(main) if same else samples.blocks():
            writer.write(block)
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    return writer


def _encoded(
    delivered: DeliveredMaster,
    lossless: AtomicWriter,
    path: Path,
    form: OutputFormat,
    ceiling_db: float | None,
    overwrite: bool,
) -> DraftedFile:
    """A lossy file from the samples before rounding, ALAC from those of a lossless draft."""
    samples = delivered.samples
    assert samples is not None
    draft = EncodedDraft(path, form, overwrite)
    if not form.is_lossy:
        given = draft.encode(_stored(lossless), samples.sample_rate, samples.channels)
        with AudioReader(draft.draft, path.suffix) as reader:
            draft.check_length(reader.frames, given)
        return DraftedFile(draft, delivered.result.readings)
    fed = at_rate(samples, form.encoding.format.rate_for(samples.sample_rate))
    given = draft.encode(fed.blocks(), fed.sample_rate, fed.channels)
    try:
        reading = read_decoded(draft.draft, form.encoding, ceiling_db)
        draft.check_length(reading.readings.frames, given)
    except BaseException:
        draft.abandon()
        raise
    promised = any(codec.encoding == form.encoding for codec in delivered.codecs)
    return DraftedFile(draft, reading.readings, CodecReading(form.encoding, reading, promised, path.name))


def _stored(writer: AtomicWriter) -> Iterator[Block]:
    with AudioReader(writer.draft, ".wav") as reader:
        yield from reader.blocks()
