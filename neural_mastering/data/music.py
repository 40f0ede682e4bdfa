"""Released music in a folder: every audio file below it, with a name of its own and a group."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.data.audio_file import SUFFIXES, name_some
from neural_mastering.data.errors import DataError
from neural_mastering.data.manifest import read_music_manifest, song_key

SEPARATOR = "__"
_LONGEST_NAME_BYTES = 180


@dataclass(frozen=True)
class Track:
    """One file of released music.

    Attributes:
        name: unique; made from the group and the file's stem, so that it does not depend on other files.
        path: of the file.
        group: album, game or package; songs of one group go to the same split.
        split: the split that the manifest demands, or "".
    """

    name: str
    path: Path
    group: str
    split: str = ""


def find_music(root: str | Path) -> list[Track]:
    """All WAV, FLAC, AIFF, OGG and MP3 files below a folder, sorted by name; hidden ones are left out.

    A `root/manifest.csv` may name groups and splits, see `read_music_manifest`; otherwise the folder that a
    file lies in is its group, and a file directly in `root` is its own group. A track's name is
    `group__stem`, or the stem alone directly in `root`.

    Raises:
        DataError: no such folder, no audio in it, two files with one name, a manifest that cannot be used.
    """
    root = Path(root).expanduser()
    if not root.is_dir():
        raise DataError(f"there is no folder {root}: name one with released music")
    manifest = read_music_manifest(root / "manifest.csv")
    base = str(root)
    found: dict[str, Track] = {}
    for folder, folders, names in os.walk(base, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        relative = os.path.relpath(folder, base)
        here = Path(folder)
        parent = "" if relative == "." else relative.replace(os.sep, "/")
        for name in sorted(names):
            stem, suffix = os.path.splitext(name)  # noqa: PTH122 - ten thousand paths: Path takes seconds
            if name.startswith(".") or suffix.lower() not in SUFFIXES:
                continue
            track = _track(here / name, stem, parent, manifest)
            other = found.setdefault(song_key(track.name), track)
            if other is not track:
                raise DataError(
                    f"two files would both be named '{track.name}': {other.path} and {track.path}. "
                    "Remove or rename one of them"
                )
    if not found:
        raise DataError(f"{root} holds no audio files ({', '.join(SUFFIXES)}), nor do the folders in it")
    tracks = sorted(found.values(), key=lambda track: track.name)
    undecided = [track.name for track in tracks if not track.split]
    if undecided and len(undecided) < len(tracks):
        raise DataError(
            f"{root / 'manifest.csv'} names no split for {name_some(undecided)}: name all or none"
        )
    return tracks


def _track(path: Path, stem: str, parent: str, manifest: dict[str, tuple[str, str]]) -> Track:
    group, split = manifest.get(song_key(f"{parent}/{stem}" if parent else stem), ("", ""))
    group = group or parent
    name = f"{group}/{stem}".replace("/", SEPARATOR).replace("\\", SEPARATOR) if group else stem
    encoded = name.encode("utf-8", "surrogateescape")
    if len(encoded) > _LONGEST_NAME_BYTES:  # file systems allow 255 bytes, with suffixes
        short = encoded[: _LONGEST_NAME_BYTES - 9].decode("utf-8", "ignore")
        name = f"{short}~{hashlib.blake2b(encoded, digest_size=4).hexdigest()}"
    return Track(name, path, group or name, split)
