"""Lossy files and ALAC: a stream of blocks through libsndfile's encoders, or through ffmpeg's."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

from neural_mastering.audio_io.block import BLOCK_SAMPLES, Block
from neural_mastering.audio_io.file_format import Encoding
from neural_mastering.audio_io.sound_source import native_name
from neural_mastering.errors import InputError

_VORBIS_KBPS = {
    1: (48, 60, 70, 80, 86, 96, 110, 120, 140, 160, 240),
    2: (64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500),
}
"""Nominal bit rates of qualities 0, 0.1 … 1 at 44.1 and 48 kHz, by channels (libvorbis, lib/modes/setup_44.h,
setup_44u.h)."""


def encode(
    blocks: Iterable[Block],
    path: Path,
    encoding: Encoding,
    sample_rate: int,
    channels: int,
    bits: str = "32f",
) -> int:
    """Encode a stream to a file; returns the number of samples (per channel) that it was given.

    Args:
        blocks: (channel, time), full scale ±1; encoders take samples above that as they are.
        path: of the file, whatever its suffix.
        encoding: a lossy format, or ALAC.
        sample_rate: in Hz; one that the format has.
        channels: 1 or 2.
        bits: "16" or "24" for ALAC, whose samples lie on that grid.

    Raises:
        InputError: ffmpeg is missing or fails.
        OSError, soundfile.LibsndfileError: the file can't be written.
    """
    if encoding.format.encoder == "ffmpeg":
        return _by_ffmpeg(blocks, path, encoding, sample_rate, channels, bits)
    container = "MP3" if encoding.format.name == "mp3" else "OGG"
    subtype = {"mp3": "MPEG_LAYER_III", "vorbis": "VORBIS", "opus": "OPUS"}[encoding.format.name]
    given = 0
    with soundfile.SoundFile(
        native_name(path),
        "w",
        sample_rate,
        channels,
        subtype,
        format=container,
        compression_level=_compression_level(encoding, sample_rate, channels),
        bitrate_mode="CONSTANT" if container == "MP3" else None,
    ) as file:
        gain = _makeup_gain(encoding, sample_rate)
        for block in blocks:
            given += block.shape[1]
            for start in range(0, block.shape[1], BLOCK_SAMPLES):
                file.write(np.ascontiguousarray(block[:, start : start + BLOCK_SAMPLES].T) * gain)
    return given


def _compression_level(encoding: Encoding, sample_rate: int, channels: int) -> float:
    """libsndfile's number from 0 (best) to 1 for a bit rate (its mpeg_l3_encode.c, ogg_opus.c, ogg_vorbis.c)."""
    kbps = float(encoding.kbps or 0)
    if encoding.format.name == "vorbis":
        table = _VORBIS_KBPS[channels]
        return float(1.0 - np.interp(kbps, table, np.linspace(0.0, 1.0, len(table))))
    if encoding.format.name == "opus":
        low, high = 6.0, 256.0 * channels
    else:  # the ranges of MPEG-1, MPEG-2 and MPEG-2.5
        low, high = (
            (32.0, 320.0) if sample_rate >= 32_000 else (8.0, 160.0 if sample_rate >= 16_000 else 64.0)
        )
    return float(np.clip((high - kbps) / (high - low), 0.0, 0.9999))


def _makeup_gain(encoding: Encoding, sample_rate: int) -> float:
    """What undoes LAME's scaling, which lowers the level by 0.2 to 0.4 dB below 256 kbit/s (measured)."""
    if encoding.format.name != "mp3":
        return 1.0
    kbps = encoding.kbps or 0
    if kbps <= 160 or sample_rate < 32_000:
        return 1.0 / 0.95
    return {192: 1.0 / 0.97, 224: 1.0 / 0.98}.get(kbps, 1.0)


def _by_ffmpeg(
    blocks: Iterable[Block], path: Path, encoding: Encoding, sample_rate: int, channels: int, bits: str
) -> int:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise InputError(f"{encoding.format.title} needs ffmpeg, which isn't installed: install it")
    codec = ["-c:a", encoding.format.name]
    if encoding.kbps is not None:
        # not its default "twoloop", whose peaks jump by a decibel from one level of the input to the next
        codec += ["-b:a", f"{encoding.kbps}k", "-aac_coder", "fast"]
    else:
        codec += ["-sample_fmt", "s16p" if bits == "16" else "s32p"]
    command = [ffmpeg, "-v", "error", "-nostdin", "-y", "-f", "f64le", "-ar", str(sample_rate)]
    command += ["-ac", str(channels), "-i", "pipe:0", *codec, "-flags:a", "+bitexact"]
    command += ["-fflags", "+bitexact", "-f", "ipod", f"file:{path.resolve()}"]
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=told)
        assert process.stdin is not None
        given = 0
        try:
            with contextlib.suppress(BrokenPipeError):  # its own message says more
                for block in blocks:
                    given += block.shape[1]
                    process.stdin.write(np.ascontiguousarray(block.T, dtype="<f8").tobytes())
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        if code != 0:
            told.seek(0)
            lines = told.read().decode(errors="replace").strip().splitlines() or ["unknown error"]
            raise InputError(f"ffmpeg can't write {encoding.format.title} ({lines[-1]})")
    return given
