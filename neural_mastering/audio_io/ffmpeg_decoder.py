"""Decoding by ffmpeg, where it is installed, of what libsndfile doesn't read."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.errors import InputError

_LOSSLESS = ("alac", "flac", "wavpack", "ape", "tta", "tak", "wmalossless", "mlp", "truehd", "shorten")
"""Codecs that give back the samples that went in; WavPack and others have lossy modes that no header names."""

_DEMUXERS = (
    *(
        "aac",
        "ac3",
        "adx",
        "aiff",
        "amr",
        "ape",
        "asf",
        "au",
        "avi",
        "caf",
        "dsf",
        "dts",
        "eac3",
        "flac",
        "flv",
    ),
    *(
        "iff",
        "matroska",
        "mlp",
        "mov",
        "mp3",
        "mpc",
        "mpc8",
        "mpeg",
        "mpegts",
        "nut",
        "ogg",
        "oma",
        "rm",
        "shn",
    ),
    *("sox", "tak", "truehd", "tta", "voc", "w64", "wav", "webm", "wsd", "wv", "xwma"),
)
"""Kinds of files that hold their own audio: no playlists and scripts, which name other files."""

_COMPANDED = ("pcm_mulaw", "pcm_alaw", "pcm_vidc")


@dataclass(frozen=True)
class DecodedStream:
    """What ffmpeg found in a file.

    Attributes:
        codec: its name for it, such as "aac".
        bits: of a sample in a lossless codec; None for others.
        is_float: samples are floating point.
    """

    codec: str
    bits: int | None
    is_float: bool

    @property
    def is_lossless(self) -> bool:
        """By the codec."""
        return self.codec in _LOSSLESS or (self.codec.startswith("pcm_") and self.codec not in _COMPANDED)


def ffmpeg_path() -> str | None:
    """Where ffmpeg is; None where it isn't installed."""
    return shutil.which("ffmpeg")


def decode(path: Path, output: Path) -> DecodedStream:
    """Write the first audio stream of a file as WAV in 32-bit floating point.

    Raises:
        InputError: ffmpeg is missing or can't read the file.
    """
    ffmpeg = ffmpeg_path()
    if ffmpeg is None:
        raise InputError(
            f"{path.name}: {path.suffix} files need ffmpeg, which isn't installed: install it, or "
            "convert the file to WAV or FLAC"
        )
    given = [*_only_this_file(), "-i", f"file:{path.resolve()}"]
    command = [ffmpeg, "-v", "error", "-nostdin", "-y", *given, "-map", "0:a:0", "-map_metadata", "-1"]
    command += ["-c:a", "pcm_f32le", "-f", "wav", "-rf64", "auto", os.fspath(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["unknown error"])[-1]
        raise InputError(f"{path} can't be decoded by ffmpeg ({reason}): convert it to WAV or FLAC")
    return _described(path, ffmpeg)


def _only_this_file() -> list[str]:
    """Options that keep ffmpeg from following what a file says to other files and addresses."""
    return ["-protocol_whitelist", "file", "-format_whitelist", ",".join(_DEMUXERS)]


def _described(path: Path, ffmpeg: str) -> DecodedStream:
    """From ffprobe, which comes with ffmpeg; unknown where it doesn't."""
    beside = Path(ffmpeg).with_name(f"ffprobe{Path(ffmpeg).suffix}")
    ffprobe = str(beside) if beside.is_file() else shutil.which("ffprobe")
    if ffprobe is None:
        return DecodedStream("", None, False)
    entries = "stream=codec_name,sample_fmt,bits_per_raw_sample,bits_per_sample"
    command = [ffprobe, "-v", "error", *_only_this_file(), "-select_streams", "a:0"]
    command += ["-show_entries", entries, "-of", "json", f"file:{path.resolve()}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    try:
        stream = json.loads(done.stdout)["streams"][0]
    except (ValueError, KeyError, IndexError):
        return DecodedStream("", None, False)
    form = str(stream.get("sample_fmt", ""))
    raw = [str(stream.get(key, "")) for key in ("bits_per_raw_sample", "bits_per_sample")]
    bits = next((int(text) for text in raw if text.isdigit() and int(text)), None)
    if bits is None:
        bits = {"u8": 8, "s16": 16, "s32": 32, "flt": 32, "dbl": 64}.get(form.removesuffix("p"))
    found = DecodedStream(str(stream.get("codec_name", "")), bits, form.startswith(("flt", "dbl")))
    return found if found.is_lossless else DecodedStream(found.codec, None, found.is_float)
