"""Audio files of any readable kind as a stream of float64 blocks (channel, time)."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from neural_mastering.audio_io.block import BLOCK_SAMPLES, Block
from neural_mastering.audio_io.ffmpeg_decoder import DecodedStream, decode, ffmpeg_path
from neural_mastering.audio_io.sound_source import sound_source
from neural_mastering.dsp import stream_kernels
from neural_mastering.errors import InputError

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 384_000

BY_FFMPEG = (".m4a", ".m4b", ".aac", ".mp4", ".wma", ".ape", ".wv", ".tta", ".webm", ".mka")
"""What libsndfile doesn't read; decoded by ffmpeg where it is installed."""

READABLE_SUFFIXES = (
    *(".wav", ".wave", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".aifc", ".caf"),
    *(".ogg", ".oga", ".opus", ".mp3", *BY_FFMPEG),
)
"""Of files that are taken for songs where a folder is given."""

_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}
_READ_AS = {
    **dict.fromkeys(("PCM_S8", "PCM_U8", "PCM_16"), ("int16", 2.0**-15)),
    **dict.fromkeys(("PCM_24", "PCM_32"), ("int32", 2.0**-31)),
}
"""What libsndfile gives without converting to floating point, and what makes full scale of it 1."""

_LOSSLESS = (*_BITS, "ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32")
_LONGEST_S = 1e6  # 11 days: what passes it is a length that nobody wrote


class AudioReader:
    """An audio file that can be read through several times without holding it in memory.

    Args:
        path: of the file.
        suffix: of its kind where its name has another, such as that of a draft.

    Attributes:
        path: as given.
        sample_rate: in Hz.
        channels: 1 or 2.
        frames: samples per channel according to the header.
        container: libsndfile's name, such as "WAV"; "FFMPEG" for what ffmpeg decoded.
        bits: of a sample, or None for lossy formats.
        is_float: samples are floating point.
        codec: libsndfile's name for it, or ffmpeg's, in lower case.
        is_lossless: the codec gives back the samples that went in, whatever the file is called.

    Raises:
        InputError: no file, not audio, no samples, more than two channels, a rate outside 8 to 384 kHz.
    """

    def __init__(self, path: str | Path, suffix: str | None = None) -> None:
        self.path = Path(path)
        self._decoded: tempfile.TemporaryDirectory[str] | None = None
        self._source = self.path
        if not self.path.is_file():
            kind = "is a folder" if self.path.is_dir() else "does not exist"
            raise InputError(f"{self.path} {kind}: give an audio file")
        try:
            empty = self.path.stat().st_size == 0
            with self.path.open("rb"):
                pass
        except OSError as error:
            raise InputError(
                f"{self.path} can't be opened ({error.strerror}): check its permissions"
            ) from error
        if empty:
            raise InputError(f"{self.path} is empty (0 bytes): export it again")
        self._stream: DecodedStream | None = None
        if (suffix or self.path.suffix).lower() in BY_FFMPEG:
            self._decode()
        info = self._info()
        self.sample_rate, self.channels, self.frames = (
            int(info.samplerate),
            int(info.channels),
            int(info.frames),
        )
        stream, subtype = self._stream, str(info.subtype)
        self.container = str(info.format) if stream is None else "FFMPEG"
        self.codec = subtype.lower() if stream is None else stream.codec
        self.bits = _BITS.get(subtype) if stream is None else stream.bits
        self.is_float = subtype in ("FLOAT", "DOUBLE") if stream is None else stream.is_float
        self.is_lossless = subtype in _LOSSLESS if stream is None else stream.is_lossless
        if self.channels not in (1, 2):
            self.close()
            raise InputError(
                f"{self.path} has {self.channels} channels: expected mono or stereo; export a stereo mix "
                "(surround is never mixed down by itself)"
            )
        if not LOWEST_RATE_HZ <= self.sample_rate <= HIGHEST_RATE_HZ:
            rate = self.sample_rate
            self.close()
            raise InputError(
                f"{self.path} has a sample rate of {rate} Hz: expected {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz"
            )

    @property
    def readable_path(self) -> Path:
        """A file that libsndfile reads: the file itself, or what ffmpeg decoded."""
        return self._source

    @property
    def is_cheap(self) -> bool:
        """Reading it again costs little, or can't be left out: a buffer holds 24 bits of a sample."""
        is_packed = self.container == "FLAC" and (self.bits or 99) <= 24
        return self._stream is not None or (self.bits is not None and not is_packed)

    @property
    def duration_s(self) -> float:
        """Length in seconds according to the header."""
        return self.frames / self.sample_rate

    def blocks(self, block_samples: int = BLOCK_SAMPLES) -> Iterator[Block]:
        """All samples in order.

        Raises:
            InputError: damaged audio, or samples that are not finite numbers.
        """
        position = 0
        try:
            with soundfile.SoundFile(sound_source(self._source)) as file:
                kind, scale = _READ_AS.get(file.subtype, ("float64", 1.0))
                while True:
                    frames = file.read(block_samples, dtype=kind, always_2d=True)
                    if not len(frames):
                        break
                    block = np.empty(frames.shape[::-1])
                    stream_kernels.planes(frames.reshape(-1), scale, block)
                    if scale == 1.0 and not np.isfinite(block.sum()) and not np.isfinite(block).all():
                        first = position + int(np.flatnonzero(~np.isfinite(block).all(axis=0))[0])
                        raise InputError(
                            f"{self.path} holds samples that are not numbers (NaN or infinity, first at "
                            f"{first / self.sample_rate:.3f} s): export it again"
                        )
                    if self.is_float and np.abs(block).max() > 1e4:
                        raise InputError(
                            f"{self.path} holds samples over +80 dBFS near {position / self.sample_rate:.3f} s: "
                            "this isn't audio with full scale ±1; export it again"
                        )
                    yield block
                    position += block.shape[1]
        except (soundfile.LibsndfileError, RuntimeError, OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{self.path} is damaged after {position / self.sample_rate:.1f} s ({_plain(error)}): "
                "export it again"
            ) from error

    def close(self) -> None:
        """Remove what ffmpeg decoded."""
        if self._decoded is not None:
            self._decoded.cleanup()
            self._decoded = None

    def __enter__(self) -> "AudioReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _info(self) -> Any:
        """What libsndfile says of the file; what it doesn't read is tried by ffmpeg."""
        why = "holds no audio"
        try:
            info = soundfile.info(sound_source(self._source))
            if 0 < info.frames <= _LONGEST_S * info.samplerate:
                return info
        except (soundfile.LibsndfileError, RuntimeError, OSError, ValueError) as error:
            why = f"can't be read as audio ({_plain(error)})"
        if self._stream is None and ffmpeg_path() is not None:
            try:
                self._decode()
                return self._info()
            except InputError:  # ffmpeg's reasons are no clearer
                self.close()
        self.close()
        raise InputError(
            f"{self.path} {why}: expected WAV, FLAC, AIFF, OGG, Opus or MP3, or with ffmpeg any other format; "
            "export it again"
        )

    def _decode(self) -> None:
        self._decoded = tempfile.TemporaryDirectory(prefix="nm-master-")
        self._source = Path(self._decoded.name) / "decoded.wav"
        try:
            self._stream = decode(self.path, self._source)
        except InputError:
            self.close()
            raise


def _plain(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    if "not a regular file" in str(text):  # what libsndfile says of a file without a frame of MP3
        return "Format not recognised"
    return str(text).strip().rstrip(".")
