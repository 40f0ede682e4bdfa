"""The optional manifest.csv beside the two folders: what songs belong together, and to which split."""

import csv
import unicodedata
from dataclasses import dataclass
from pathlib import Path

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
    if not path.is_file():
        return {}
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
    entries: dict[str, ManifestEntry] = {}
    for row in rows:
        name = (row[song_column] or "").strip()
        key = song_key(_without_audio_suffix(name))
        group, split = (((row[c] or "").strip() if c else "") for c in (group_column, split_column))
        if split and split not in _SPLITS:
            raise DataError(f"{path}: split '{split}' of '{name}' is not one of {', '.join(_SPLITS)}")
        if key in entries:
            raise DataError(f"{path} has two rows for '{name}'")
        entries[key] = ManifestEntry(group, split)
    return entries


def _without_audio_suffix(name: str) -> str:
    path = Path(name)
    return path.stem if path.suffix.lower() in SUFFIXES else path.name
