"""Evaluated songs that a model was trained on: found by name, and by content where both sides are at hand."""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from neural_mastering.data import SongPair, default_demo_folder
from neural_mastering.data.audio_file import SUFFIXES
from neural_mastering.data.manifest import song_key
from neural_mastering.data.music import find_music
from neural_mastering.errors import InputError
from neural_mastering.evaluation.run_info import RunInfo

SIDES = ("unmastered", "mastered")
_LISTED = 10


@dataclass(frozen=True)
class SharedSong:
    """An evaluated song that is a training song of a model too.

    Attributes:
        name: in the evaluated data.
        trained_as: its name in training.
    """

    name: str
    trained_as: str

    @property
    def text(self) -> str:
        """Both names, where they differ by more than spelling."""
        if song_key(self.name) == song_key(self.trained_as):
            return f"'{self.name}'"
        return f"'{self.name}' (the same audio as '{self.trained_as}' there)"


def named(songs: Sequence[SharedSong]) -> str:
    """The first ten in words."""
    listed = ", ".join(song.text for song in songs[:_LISTED])
    return listed + (f" and {len(songs) - _LISTED} more" if len(songs) > _LISTED else "")


def shared_songs(pairs: Sequence[SongPair], root: Path, runs: Sequence[RunInfo]) -> list[SharedSong]:
    """Those of `pairs` that any run was trained on, each once, in their order.

    Names are compared first. Content is compared by SHA-256: those that the two folders' manifest.csv tell (every
    column that ends with `sha256`, such as those of `nm-data degrade` and `nm-data align`), those of the evaluated
    files against the manifest of the training folder, and those of files of the same size. So a song under another
    name is found as long as the training folder, or its manifest, lies where it lay.

    Args:
        pairs: songs to be evaluated.
        root: their folder.
        runs: those that stored their songs are looked at.
    """
    found: dict[str, SharedSong] = {}
    for run in runs:
        if run.songs is None or not run.songs["train"]:
            continue
        trained = {song_key(name): name for name in run.songs["train"]}
        for pair in pairs:
            if song_key(pair.name) in trained:
                found.setdefault(pair.name, SharedSong(pair.name, trained[song_key(pair.name)]))
        folder = training_root(run)
        if folder is not None and folder.is_dir():
            others = [pair for pair in pairs if pair.name not in found]
            for pair, name in _same_content(others, root, folder, trained):
                found[pair.name] = SharedSong(pair.name, name)
    return [found[pair.name] for pair in pairs if pair.name in found]


def training_root(run: RunInfo) -> Path | None:
    """Folder of the songs that a run was trained on; None where it names none."""
    if run.uses_demo:
        return default_demo_folder()
    return None if run.data_root is None else Path(run.data_root).expanduser()


def _same_content(
    pairs: Sequence[SongPair], root: Path, folder: Path, trained: Mapping[str, str]
) -> Iterator[tuple[SongPair, str]]:
    """Pairs with the name of the training song that has the same audio in it."""
    sha256 = cache(_sha256)
    told = _told_hashes(root)
    by_hash = {
        value: trained[key] for key, row in _told_hashes(folder).items() if key in trained for value in row
    }
    by_size: dict[int, list[tuple[Path, str]]] = defaultdict(list)
    for path, name in _training_files(folder, trained):
        by_size[path.stat().st_size].append((path, name))
    for pair in pairs:
        own = [pair.unmastered.path, pair.mastered.path]
        hashes = set(told.get(song_key(pair.name), ()))
        if by_hash:
            hashes.update(map(sha256, own))
        name = next((by_hash[value] for value in hashes if value in by_hash), None)
        if name is None:
            alike = ((path, other) for path in own for other in by_size[path.stat().st_size])
            name = next((n for path, (other, n) in alike if sha256(path) == sha256(other)), None)
        if name is not None:
            yield pair, name


def _training_files(folder: Path, trained: Mapping[str, str]) -> Iterable[tuple[Path, str]]:
    """Files of the training songs with their names: both sides of pairs, or released music."""
    if (folder / SIDES[0]).is_dir():
        return [
            (path, trained[song_key(path.stem)])
            for side in SIDES
            for path in (folder / side).glob("*")
            if path.suffix.lower() in SUFFIXES and song_key(path.stem) in trained
        ]
    try:
        tracks = find_music(folder)
    except InputError:
        return []
    return [(t.path, trained[song_key(t.name)]) for t in tracks if song_key(t.name) in trained]


def _told_hashes(root: Path) -> dict[str, set[str]]:
    """SHA-256 of everything that a folder's manifest names, by `song_key` of the song."""
    try:
        with (root / "manifest.csv").open(newline="", encoding="utf-8-sig") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}
    found = {}
    for row in rows:
        name = next((row[key] for key in ("file", "name", "song") if row.get(key)), "")
        stem = Path(name).stem if Path(name).suffix.lower() in SUFFIXES else name
        hashes = {
            value.strip().lower() for key, value in row.items() if key and key.endswith("sha256") and value
        }
        if hashes:
            found[song_key(stem)] = hashes
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
