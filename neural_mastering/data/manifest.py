"""The optional manifest.csv beside the two folders: what songs belong together, and to which split."""

import csv
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from neural_mastering.data.audio_file import SUFFIXES
from neural_mastering.data.errors import DataError

_SONG_COLUMNS = ("file", "name", "song")
_GROUP_COLUMNS = ("group", "package", "album")
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class ManifestEntry:
    """One song's row; an empty string where a column is missing."""

    group: str = ""
    split: str = ""


def song_key(name: str) -> str:
    """What two spellings of one file stem share: composed accents, no difference of case."""
    return unicodedata.normalize("NFC", name).casefold()


def read_manifest(path: Path) -> dict[str, ManifestEntry]:
    """Rows by `song_key` of the song's name; empty where there is no such file.

    The song is named by the first column present of `file` (with or without its suffix), `name`, `song`; its
    group by `group`, `package` or `album`; its split, where wanted, by `split` (train, validation, test).

    Raises:
        DataError: no column that names the song, an unknown split, or one song in two rows.
    """
    entries: dict[str, ManifestEntry] = {}
    for name, group, split in _rows(path):
        key = song_key(_without_audio_suffix(name))
        if key in entries:
            raise DataError(f"{path} has two rows for '{name}'")
        entries[key] = ManifestEntry(group, split)
    return entries


def read_music_manifest(path: Path) -> dict[str, tuple[str, str]]:
    """(group, split) by `song_key` of the file's path below the manifest's folder, without its suffix.

    Columns as in `read_manifest`; here the song is named by its path, such as `album/song.flac`.

    Raises:
        DataError: as in `read_manifest`.
    """
    entries: dict[str, tuple[str, str]] = {}
    for name, group, split in _rows(path):
        key = song_key(_music_key(name))
        if key in entries:
            raise DataError(f"{path} has two rows for '{name}'")
        entries[key] = (group, split)
    return entries


def _rows(path: Path) -> list[tuple[str, str, str]]:
    """Song, group and split of each row; none where there is no such file."""
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle)
            columns = {(column or "").strip().lower(): column for column in reader.fieldnames or ()}
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV file in UTF-8 ({error})") from error
    song_column = next((columns[name] for name in _SONG_COLUMNS if name in columns), None)
    if song_column is None:
        raise DataError(f"{path} has no column {' or '.join(_SONG_COLUMNS)} that names the song")
    group_column = next((columns[name] for name in _GROUP_COLUMNS if name in columns), None)
    split_column = columns.get("split")
    found = []
    for row in rows:
        name = (row[song_column] or "").strip()
        group, split = (((row[c] or "").strip() if c else "") for c in (group_column, split_column))
        if split and split not in _SPLITS:
            raise DataError(f"{path}: split '{split}' of '{name}' is not one of {', '.join(_SPLITS)}")
        found.append((name, group, split))
    return found


def _music_key(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    return str(path.with_suffix("") if path.suffix.lower() in SUFFIXES else path)


def _without_audio_suffix(name: str) -> str:
    path = Path(name)
    return path.stem if path.suffix.lower() in SUFFIXES else path.name
