"""What the masters are called: readable, harmless, and each name once."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from neural_mastering.batch.song import Song
from neural_mastering.batch.storage import is_url

_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)
_MOST_BYTES = 120


def master_names(songs: Iterable[Song]) -> dict[str, str]:
    """For each song's id its name below the folder of the masters: "NAME", or "ALBUM/NAME"; no suffix.

    A name is the ISRC, the title, or the name of the file. Songs that would share one (upper and lower case are the
    same) all get their id behind it, so a name depends neither on the order of the rows nor on the machine.
    """
    songs = list(songs)
    folders = _apart(
        {title: (safe_name(title), _digest(title)) for s in songs if (title := s.album) is not None}
    )
    wanted: dict[str, tuple[str, str]] = {}
    for song in songs:
        name = safe_name(song.isrc or song.title or _stem(song.location))
        wanted[song.id] = (name if song.album is None else f"{folders[song.album]}/{name}", song.id)
    return _apart(wanted)


def safe_name(text: str) -> str:
    """A text as one part of a path on any system: no separators, no dots around it, at most 120 bytes of UTF-8."""
    name = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    name = "".join(c if c.isprintable() else "_" for c in _UNSAFE.sub("_", name))
    name = name.encode()[:_MOST_BYTES].decode("utf-8", "ignore").strip(" .")
    if not name or _RESERVED.match(name):
        return f"_{name}"
    return name


def _apart(wanted: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """By key a name that no other has; equal ones get more and more of their id."""
    names = {key: name for key, (name, _) in wanted.items()}
    for digits in (8, 16, 16):  # a title may imitate what another song gets
        count = Counter(_folded(name) for name in names.values())
        for key, (_, own) in wanted.items():
            if count[_folded(names[key])] > 1:
                names[key] = f"{names[key]} {own[:digits]}"
    return names


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def _stem(location: str) -> str:
    plain = location.partition("?")[0] if is_url(location) else location
    return PurePosixPath(plain).stem


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())
