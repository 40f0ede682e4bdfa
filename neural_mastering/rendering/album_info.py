"""What a CSV file says about an album: order, titles, ISRC, UPC."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.errors import InputError

FILE = "file"
_NAMES = {"upc": "barcode", "ean": "barcode", "track": "tracknumber", "disc": "discnumber", "year": "date"}
"""Other names of columns, and the tags that they are."""

_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class AlbumInfo:
    """Of all songs.

    Attributes:
        path: of the CSV file, for messages.
        rows: (name of the song's file, tags by Vorbis name), in the order of the album.
    """

    path: Path
    rows: tuple[tuple[str, Mapping[str, str]], ...]

    def ordered(self, sources: Sequence[Path]) -> list[tuple[int, Mapping[str, str]]]:
        """For each row the place of its song among the sources, with its tags.

        Raises:
            InputError: a song without a row, a row without a song, or a row that fits several songs.
        """
        found: list[tuple[int, Mapping[str, str]]] = []
        for name, tags in self.rows:
            fits = [i for i, source in enumerate(sources) if name in (source.name, source.stem, str(source))]
            if len(fits) != 1:
                why = "no song of this name was given" if not fits else "several songs have this name"
                raise InputError(f"{self.path}: {name}: {why}")
            found.append((fits[0], tags))
        places = [place for place, _ in found]
        twice = next((place for place in places if places.count(place) > 1), None)
        if twice is not None:
            raise InputError(f"{self.path}: two rows for {sources[twice].name}")
        missing = [source.name for i, source in enumerate(sources) if i not in places]
        if missing:
            raise InputError(f"{self.path} has no row for {', '.join(missing)}")
        return found


def read_album_info(path: Path) -> AlbumInfo:
    """Read a CSV file (UTF-8, comma or semicolon) with a column `file`, and columns named as tags.

    `upc` (or `ean`) and `isrc` are checked. Where there is a column `track`, it gives the order; otherwise rows do.

    Raises:
        InputError: no such file, no column `file`, no rows, a wrong ISRC or UPC, a track number that is none.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(
                f"--album-info {path} is larger than 1 MB: expected a CSV file with a row a song"
            )
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"--album-info {path} can't be read ({why})") from error
    lines = text.splitlines()
    delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    try:
        rows = list(csv.DictReader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputError(f"--album-info {path} is no CSV file ({error})") from error
    found = [_row(path, number, row) for number, row in enumerate(rows, 2)]
    if not found:
        raise InputError(
            f"--album-info {path}: expected a line of column names ({FILE}, title, …), then a row a song"
        )
    if all("tracknumber" in tags for _, tags in found):
        found.sort(key=lambda row: _number(path, row[1]["tracknumber"]))
    return AlbumInfo(path, tuple(found))


def _row(path: Path, number: int, row: Mapping[str | None, str | None]) -> tuple[str, Mapping[str, str]]:
    where = f"--album-info {path}, line {number}"
    tags: dict[str, str] = {}
    for column, value in row.items():
        if column is None:
            raise InputError(f"{where}: more values than columns")
        if value is not None and value.strip():
            name = column.strip().lower()
            tags[_NAMES.get(name, name)] = value.strip()
    file = tags.pop(FILE, None)
    if file is None:
        raise InputError(f"{where}: no value in the column '{FILE}'")
    if "isrc" in tags:
        tags["isrc"] = tags["isrc"].upper().replace("-", "").replace(" ", "")
        if _ISRC.fullmatch(tags["isrc"]) is None:
            raise InputError(f"{where}: {tags['isrc']} is no ISRC (such as DEA120300001)")
    if "barcode" in tags:
        tags["barcode"] = tags["barcode"].replace(" ", "").replace("-", "")
        if not is_barcode(tags["barcode"]):
            raise InputError(
                f"{where}: {tags['barcode']} is no UPC or EAN: 12 or 13 digits, the last one checks"
            )
    return file, tags


def is_barcode(digits: str) -> bool:
    """Whether the check digit of a UPC-A or EAN-13 is right (GS1 General Specifications, 7.9)."""
    if not (digits.isascii() and digits.isdigit() and len(digits) in (12, 13)):
        return False
    weighted = (int(digit) * (3 if i % 2 else 1) for i, digit in enumerate(reversed(digits)))
    return sum(weighted) % 10 == 0


def _number(path: Path, text: str) -> int:
    number = text.partition("/")[0].strip()
    if not number.isdecimal():
        raise InputError(f"--album-info {path}: track {text}: expected a number")
    return int(number)
