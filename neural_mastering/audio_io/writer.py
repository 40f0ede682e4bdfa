"""Writing an audio file whole or not at all: a draft in the same folder, renamed when it is complete."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from neural_mastering.atomic import Draft, reason
from neural_mastering.audio_io.block import Block
from neural_mastering.dsp import stream_kernels
from neural_mastering.errors import InputError

SUFFIX_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".aif": "AIFF", ".aiff": "AIFF"}
BIT_CHOICES = ("16", "24", "32f")
DITHER_SEED = 1770

_WAV_LIMIT = 4_200_000_000  # bytes; a RIFF header counts up to 2³² − 1


@dataclass(frozen=True)
class OutputFormat:
    """What is written.

    Attributes:
        container: "WAV", "FLAC" or "AIFF".
        bits: "16", "24" or "32f" (floating point).
    """

    container: str
    bits: str

    @property
    def subtype(self) -> str:
        """libsndfile's name of the sample format."""
        return {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}[self.bits]


def output_format(
    path: Path, bits: str | None, source_bits: int | None, source_is_float: bool
) -> OutputFormat:
    """The format of a file name; by default as many bits as the source, but at least 24.

    Raises:
        InputError: an unknown suffix or number of bits, or FLAC with floating point.
    """
    container = SUFFIX_FORMATS.get(path.suffix.lower())
    if container is None:
        raise InputError(
            f"{path.name}: can't write {path.suffix or 'a file without a suffix'}; expected "
            f"{', '.join(SUFFIX_FORMATS)} (or an existing folder)"
        )
    if bits is not None and bits not in BIT_CHOICES:
        raise InputError(f"--bits {bits}: expected {', '.join(BIT_CHOICES)}")
    if bits is None:
        wide = source_is_float or (source_bits or 0) > 24
        bits = "32f" if wide and container != "FLAC" else "24"
    if container == "FLAC" and bits == "32f":
        raise InputError("FLAC has no floating point: use --bits 24, or write WAV or AIFF")
    return OutputFormat(container, bits)


class AtomicWriter:
    """Takes blocks of float64, quantises, dithers, writes a draft; `commit` gives it its name.

    Args:
        path: the final name.
        form: container and bits.
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
        if path.is_dir():
            raise InputError(f"{path} is a folder: give a file name")
        if path.exists() and not overwrite:
            raise InputError(f"{path} exists: add --overwrite to replace it, or choose another name")
        try:
            self._draft = Draft(path, overwrite)
        except OSError as error:
            raise InputError(f"{path} can't be written: {reason(path, error)}") from error
        self.draft = self._draft.file
        self._dither = dither and form.bits == "16"
        self._position = 0
        self.clipped_samples = 0
        self.large = form.container == "WAV" and frames * channels * int(form.bits[:2]) // 8 > _WAV_LIMIT
        container = "RF64" if self.large else form.container
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = soundfile.SoundFile(
                str(self.draft), "w", sample_rate, channels, form.subtype, format=container
            )
        except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
            why = reason(path, error)
            self._draft.discard()
            raise InputError(f"{path} can't be written: {why}") from error

    def write(self, block: Block) -> Block:
        """Write a block (channel, time); returns exactly what the file then holds."""
        if self.form.bits == "32f":
            data = np.ascontiguousarray(block.T, dtype=np.float32)
            written = data.T.astype(np.float64)
        else:
            bits = int(self.form.bits)
            steps = np.empty(block.T.shape, np.int32)
            dither = self._dither and not (self._keep_grid and _on_grid(block))
            self.clipped_samples += stream_kernels.quantise(
                np.ascontiguousarray(block), self._position, bits, dither, DITHER_SEED, steps
            )
            written = np.ascontiguousarray(steps.T) * 2.0 ** (1 - bits)
            data = steps.astype(np.int16) if bits == 16 else steps << (32 - bits)
        self._position += block.shape[1]
        try:
            self._file.write(data)
        except (soundfile.LibsndfileError, OSError, RuntimeError, AssertionError) as error:
            raise self._failed(error) from error
        return np.ascontiguousarray(written, dtype=np.float64)

    def close(self) -> None:
        """Finish the draft, which keeps its hidden name."""
        try:
            self._file.close()
            held = soundfile.info(str(self.draft)).frames
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
        why = reason(self.path, error)
        if isinstance(error, FileExistsError):
            why += "; add --overwrite to replace it"
        self.abandon()
        return InputError(f"{self.path} can't be written: {why}")

    def abandon(self) -> None:
        """Remove the draft."""
        with contextlib.suppress(soundfile.LibsndfileError, OSError, RuntimeError):  # a full disk
            self._file.close()
        self._draft.discard()


def _on_grid(block: Block) -> bool:
    steps = block * 32768.0
    return bool((steps == np.rint(steps)).all())
