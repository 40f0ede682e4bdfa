"""An audio file on disk and what its header says."""

import os
from dataclasses import dataclass
from pathlib import Path

import soundfile

from neural_mastering.audio_io.sound_source import sound_source
from neural_mastering.data.errors import DataError

SUFFIXES = (".wav", ".wave", ".flac", ".aif", ".aiff", ".ogg", ".mp3")
"""File types that are read, in lower case."""

UNREADABLE_SUFFIXES = (".m4a", ".aac", ".mp4", ".wma", ".opus", ".alac", ".ape", ".wv")
"""Audio by its name, but of a type that is not read."""

_LONGEST_S = 1e6  # 11 days: what passes it is a length that nobody wrote


@dataclass(frozen=True)
class AudioFile:
    """A readable mono or stereo file.

    Attributes:
        path: absolute.
        frames: samples per channel.
        sample_rate: in Hz.
        channels: 1 or 2.
    """

    path: Path
    frames: int
    sample_rate: int
    channels: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


def probe(path: Path) -> AudioFile:
    """Read a file's header.

    Raises:
        DataError: not an audio file, empty, or neither mono nor stereo.
    """
    try:
        info = soundfile.info(sound_source(path))
    except (soundfile.LibsndfileError, OSError) as error:
        why = str(getattr(error, "error_string", error)).rstrip(".")  # without libsndfile's bytes of the path
        raise DataError(f"{path} cannot be read as audio ({why}): export it again, or remove it") from error
    if info.frames > _LONGEST_S * info.samplerate:
        raise DataError(f"{path} does not say how long it is: export it again, or remove it")
    if info.frames <= 0:
        raise DataError(f"{path} holds no audio: export it again, or remove it")
    if info.channels not in (1, 2):
        raise DataError(f"{path} has {info.channels} channels: export it as mono or stereo")
    return AudioFile(path.resolve(), int(info.frames), int(info.samplerate), int(info.channels))


def list_audio(folder: Path) -> list[Path]:
    """The audio files of a folder, hidden ones left out, sorted by name.

    Raises:
        DataError: the folder is missing or holds no audio, or holds audio in a format that is not read.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}: expected one with audio files ({', '.join(SUFFIXES)})")
    # Names first and paths last: with ten thousand files, comparing paths takes seconds.
    with os.scandir(folder) as entries:
        visible = sorted(e.name for e in entries if not e.name.startswith(".") and e.is_file())
    unreadable = [name for name in visible if name.lower().endswith(UNREADABLE_SUFFIXES)]
    if unreadable:
        raise DataError(
            f"{folder} holds audio in a format that is not read: {name_some(unreadable)}. "
            "Convert to WAV or FLAC, or remove"
        )
    paths = [folder / name for name in visible if name.lower().endswith(SUFFIXES)]
    if not paths:
        raise DataError(f"{folder} holds no audio files: put WAV, FLAC, AIFF, OGG or MP3 files there")
    return paths


def left_out(folder: Path) -> list[str]:
    """Audio files in subfolders, which are not searched, by their path below the folder."""
    found = []
    for below, _, names in os.walk(folder):
        inside = Path(below).relative_to(folder)
        if inside.parts and not any(part.startswith(".") for part in inside.parts):
            found += [str(inside / name) for name in names if name.lower().endswith(SUFFIXES)]
    return sorted(name for name in found if not Path(name).name.startswith("."))


def name_some(names: list[str], most: int = 5) -> str:
    """Up to `most` names in quotes, and how many more there are."""
    listed = ", ".join(f"'{name}'" for name in names[:most])
    return f"{listed} and {len(names) - most} more" if len(names) > most else listed
