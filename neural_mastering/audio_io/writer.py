"""Writing an audio file whole or not at all: a draft in the same folder, renamed when it is complete."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from neural_mastering.atomic import Draft, reason, unwritable
from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.file_format import FORMAT_OF_SUFFIX, Encoding, default_encoding
from neural_mastering.audio_io.sound_source import native_name
from neural_mastering.dsp import stream_kernels
from neural_mastering.errors import InputError

BIT_CHOICES = ("16", "24", "32f")
DITHER_SEED = 1770

_WAV_LIMIT = 4_200_000_000  # bytes; a RIFF header counts up to 2³² − 1


@dataclass(frozen=True)
class OutputFormat:
    """What is written.

    Attributes:
        encoding: kind of file, with its bit rate where it is lossy.
        bits: "16", "24" or "32f" (floating point); lossy encoders are fed floating point.
    """

    encoding: Encoding
    bits: str

    @property
    def title(self) -> str:
        """Of the kind of file: "WAV", "MP3"."""
        return self.encoding.format.title

    @property
    def container(self) -> str:
        """What tags go into."""
        return self.encoding.format.container

    @property
    def is_lossy(self) -> bool:
        """Decoding does not give back the samples that were encoded."""
        return self.encoding.format.is_lossy

    @property
    def is_direct(self) -> bool:
        """libsndfile writes the samples as they are; otherwise an encoder takes them from a WAV draft."""
        return self.container in _DIRECT

    @property
    def subtype(self) -> str:
        """libsndfile's name of the sample format."""
        return {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}[self.bits]

    @property
    def words(self) -> str:
        """For people: "WAV, 24 bit", "MP3, 320 kbit/s"."""
        if self.encoding.kbps is not None:
            return f"{self.title}, {self.encoding.kbps} kbit/s"
        return f"{self.title}, {self.bits.replace('32f', '32 float')} bit"


_DIRECT = ("WAV", "FLAC", "AIFF")


def output_format(
    path: Path,
    bits: str | None,
    source_bits: int | None,
    source_is_float: bool,
    encoding: Encoding | None = None,
) -> OutputFormat:
    """The format of a file name; by default as many bits as the source, but at least 24.

    Args:
        path: its suffix names the format, unless `encoding` does.
        bits: "16", "24", "32f", or None.
        source_bits, source_is_float: of the source's samples.
        encoding: the format asked for, whose suffix the name must have.

    Raises:
        InputError: an unknown suffix or number of bits, floating point in a format that has none, a number of bits
            for a lossy format, or a name that doesn't fit the format.
    """
    named = FORMAT_OF_SUFFIX.get(path.suffix.lower())
    if named is None:
        raise InputError(
            f"{path.name}: can't write {path.suffix or 'a file without a suffix'}; expected "
            f"{', '.join(FORMAT_OF_SUFFIX)} (or an existing folder)"
        )
    if encoding is None:
        encoding = default_encoding(named)
    elif encoding.format.suffix != named.suffix:
        raise InputError(
            f"{path.name}: --format {encoding.name} writes {encoding.format.suffix} files; change the name or the "
            "format"
        )
    if bits is not None and bits not in BIT_CHOICES:
        raise InputError(f"--bits {bits}: expected {', '.join(BIT_CHOICES)}")
    return with_bits(encoding, bits, source_bits, source_is_float)


def with_bits(
    encoding: Encoding, bits: str | None, source_bits: int | None, source_is_float: bool
) -> OutputFormat:
    """A format with the bits of its samples.

    Raises:
        InputError: floating point in a format that has none, a number of bits for a lossy format.
    """
    form = encoding.format
    if form.is_lossy:
        if bits is not None:
            raise InputError(f"--bits {bits}: {form.title} is lossy and has no bit depth; leave --bits out")
        return OutputFormat(encoding, "32f")
    if bits is None:
        wide = source_is_float or (source_bits or 0) > 24
        bits = "32f" if wide and form.widest_bits is None else "24"
    if form.widest_bits is not None and bits == "32f":
        raise InputError(f"{form.title} has no floating point: use --bits 24, or write WAV or AIFF")
    return OutputFormat(encoding, bits)


class AtomicWriter:
    """Takes blocks of float64, quantises, dithers, writes a draft; `commit` gives it its name.

    Args:
        path: the final name.
        form: kind of file and bits; for what isn't written directly the draft is a WAV file, to be encoded.
        sample_rate, channels: of the audio.
        frames: about how many samples will come, so that a file of 4 GB or more gets a header that holds it.
        dither: add TPDF noise of two steps; for 16 bit only.
        overwrite: replace an existing file.
        keep_grid: blocks whose samples lie on the 16-bit grid already are not dithered: nothing is reduced there.

    Raises:
        InputError: the file exists, or the folder can't be written.
    """

    def __init__(
        self,
        path: Path,
        form: OutputFormat,
        sample_rate: int,
        channels: int,
        frames: int = 0,
        dither: bool = True,
        overwrite: bool = False,
        keep_grid: bool = False,
    ) -> None:
        self.path, self.form = path, form
        self._keep_grid = keep_grid
        self._draft = open_draft(path, overwrite)
        self.draft = self._draft.file
        self._dither = dither and form.bits == "16"
        self._position = 0
        self.clipped_samples = 0
        direct = form.container if form.is_direct else "WAV"
        self.large = direct == "WAV" and frames * channels * int(form.bits[:2]) // 8 > _WAV_LIMIT
        container = "RF64" if self.large else direct
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = soundfile.SoundFile(
                native_name(self.draft), "w", sample_rate, channels, form.subtype, format=container
            )
        except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
            failure = unwritable(path, error)
            self._draft.discard()
            raise failure from error

    def write(self, block: Block) -> Block:
        """Write a block (channel, time); returns exactly what the file then holds."""
        block = np.ascontiguousarray(block, np.float64)
        channels, time = block.shape
        written = np.empty((channels, time))
        if self.form.bits == "32f":
            data = np.empty((time, channels), np.float32)
            stream_kernels.alternating(block, data.reshape(-1))
            stream_kernels.planes(data.reshape(-1), 1.0, written)
        else:
            bits = int(self.form.bits)
            data = np.empty((time, channels), np.int32)
            dither = self._dither and not (self._keep_grid and _on_grid(block))
            self.clipped_samples += stream_kernels.quantise(
                block, self._position, bits, dither, DITHER_SEED, 32 - bits, data.reshape(-1), written
            )
        self._position += block.shape[1]
        try:
            self._file.write(data)
        except (soundfile.LibsndfileError, OSError, RuntimeError, AssertionError) as error:
            raise self._failed(error) from error
        return written

    def close(self) -> None:
        """Finish the draft, which keeps its hidden name."""
        try:
            self._file.close()
            held = soundfile.info(native_name(self.draft)).frames
        except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
            raise self._failed(error) from error
        if held != self._position:
            raise self._failed(None)

    def commit(self) -> None:
        """Give the draft its final name."""
        try:
            self._draft.commit()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception | None) -> InputError:
        """Remove the draft and say why; the reason is looked for while the draft still fills the disk."""
        failure = unwritable(self.path, error)
        if isinstance(error, FileExistsError):
            failure = InputError(f"{failure}; add --overwrite to replace it")
        self.abandon()
        return failure

    def abandon(self) -> None:
        """Remove the draft."""
        with contextlib.suppress(soundfile.LibsndfileError, OSError, RuntimeError):  # a full disk
            self._file.close()
        self._draft.discard()


def open_draft(path: Path, overwrite: bool) -> Draft:
    """A draft of a file that may be written.

    Raises:
        InputError: the file exists, or is no place for one.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder: give a file name")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists: add --overwrite to replace it, or choose another name")
    try:
        return Draft(path, overwrite)
    except OSError as error:
        raise InputError(f"{path} can't be written: {reason(path, error)}") from error


def _on_grid(block: Block) -> bool:
    steps = block * 32768.0
    return bool((steps == np.rint(steps)).all())
