"""What libsndfile is given to open: a file's name as the system has it, or the file with its length put right."""

import io
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from neural_mastering.audio_io import flac_length, mpeg_frames

_MPEG = (".mp3", ".mp2", ".mpga")
_OTHERS = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS")
"""How files of other formats begin, whatever they are called."""


def sound_source(path: str | Path) -> Any:
    """A name or an open file, to be passed to `soundfile.SoundFile` or `soundfile.info`.

    Names need not be UTF-8, so they go as bytes where the system has bytes. An MP3 file without a count of its
    frames, or with more of them than it says, and a FLAC file without a length, come with the right one: decoders
    guess, and stop there.
    """
    path = Path(path)
    try:
        status = path.stat()
        key = os.fspath(path), status.st_size, status.st_mtime_ns
        header = _mended(*key)
        if header is None and _lacks_frames(*key):
            return io.BytesIO(path.read_bytes())  # without the name, which alone says that it is MP3
    except OSError:
        return native_name(path)  # opening it gives the message
    if header is None:
        return native_name(path)
    if header == b"":
        found = mpeg_frames.scan(path)
        assert found is not None
        return io.BytesIO(mpeg_frames.counted_stream(path, found))
    return io.BytesIO(header + path.read_bytes()[len(header) :])


def native_name(path: str | Path) -> Any:
    """A file's name for a library in C: any bytes that the system allows."""
    return os.fspath(path) if os.name == "nt" else os.fsencode(path)


@lru_cache(maxsize=4096)
def _lacks_frames(path: str, size: int, changed_ns: int) -> bool:
    """Whether a file is called MP3 but neither begins like one nor has a frame.

    The decoder of MP3 would look for one, and print notes about it to standard error.
    """
    del size, changed_ns  # part of the key, as below
    file = Path(path)
    if file.suffix.lower() not in _MPEG:
        return False
    with file.open("rb") as opened:
        start = opened.read(4)
    begins_well = start[:3] == b"ID3" or start[:1] == b"\xff" or start in _OTHERS
    return not begins_well and mpeg_frames.first_frame(file.read_bytes()) is None


@lru_cache(maxsize=4096)
def _mended(path: str, size: int, changed_ns: int) -> bytes | None:
    """A FLAC file's corrected header; b"" for an MP3 file that needs a count; None for what is right as it is."""
    del size, changed_ns  # part of the key: a file that has changed is looked at again
    file = Path(path)
    with file.open("rb") as opened:
        start = opened.read(4)
    if start == b"fLaC":
        return flac_length.header_with_length(file)
    is_mpeg = file.suffix.lower() in _MPEG and (start[:3] == b"ID3" or start[:1] == b"\xff")
    found = mpeg_frames.scan(file) if is_mpeg else None
    if found is None or not found.count:
        return None
    return b"" if found.promised is None or found.count > found.promised else None
