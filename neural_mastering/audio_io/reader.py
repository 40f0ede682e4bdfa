"""Audio files of any readable kind as a stream of float64 blocks (channel, time)."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from neural_mastering.audio_io.block import BLOCK_SAMPLES, Block
from neural_mastering.errors import InputError

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 384_000

_FFMPEG_KINDS = "mov,matroska,webm,aac,asf,ape,wv,caf,mp3,wav"
"""Containers that ffmpeg may take a file for: none of those that name further files, such as playlists."""

BY_FFMPEG = (".m4a", ".aac", ".mp4", ".wma", ".ape", ".wv", ".webm", ".mka")
"""What libsndfile doesn't read; decoded by ffmpeg where it is installed."""

_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}


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
        if (suffix or self.path.suffix).lower() in BY_FFMPEG:
            self._decode()
        try:
            info = soundfile.info(str(self._source))
        except (soundfile.LibsndfileError, RuntimeError, OSError, ValueError) as error:
            raise InputError(
                f"{self.path} can't be read as audio ({_plain(error)}): expected WAV, FLAC, AIFF, OGG, Opus "
                "or MP3; export it again"
            ) from error
        self.sample_rate, self.channels, self.frames = (
            int(info.samplerate),
            int(info.channels),
            int(info.frames),
        )
        self.container = "FFMPEG" if self._decoded else str(info.format)
        self.bits = None if self._decoded else _BITS.get(str(info.subtype))
        self.is_float = str(info.subtype) in ("FLOAT", "DOUBLE") and not self._decoded
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
        if self.frames <= 0:
            self.close()
            raise InputError(f"{self.path} holds no audio: export it again")

    @property
    def readable_path(self) -> Path:
        """A file that libsndfile reads: the file itself, or what ffmpeg decoded."""
        return self._source

    @property
    def is_lossless(self) -> bool:
        """Reading it again is cheap and gives the same samples."""
        return self.bits is not None

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
            with soundfile.SoundFile(str(self._source)) as file:
                while True:
                    frames = file.read(block_samples, dtype="float64", always_2d=True)
                    if not len(frames):
                        break
                    block = np.ascontiguousarray(frames.T, dtype=np.float64)
                    if not np.isfinite(block.sum()) and not np.isfinite(block).all():
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

    def _decode(self) -> None:
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg is None:
            raise InputError(
                f"{self.path.name}: {self.path.suffix} files need ffmpeg, which isn't installed: install it, or "
                "convert the file to WAV or FLAC"
            )
        self._decoded = tempfile.TemporaryDirectory(prefix="nm-master-")
        self._source = Path(self._decoded.name) / "decoded.wav"
        command = [
            ffmpeg,
            "-v",
            "error",
            "-nostdin",
            "-y",
            "-protocol_whitelist",
            "file",
            "-format_whitelist",
            _FFMPEG_KINDS,
            "-i",
            f"file:{self.path.resolve()}",
            "-map",
            "0:a:0",
        ]
        command += ["-c:a", "pcm_f32le", "-f", "wav", "-rf64", "auto", str(self._source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
        if done.returncode != 0:
            self.close()
            reason = (done.stderr.strip().splitlines() or ["unknown error"])[-1]
            raise InputError(f"{self.path} can't be decoded by ffmpeg ({reason}): convert it to WAV or FLAC")


def _plain(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    return str(text).strip().rstrip(".")
