"""Reading a manifest, a CSV or Parquet file with a row for each song."""

from __future__ import annotations

import csv
import difflib
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from neural_mastering.batch.parquet import pyarrow_parquet
from neural_mastering.batch.song import Song
from neural_mastering.batch.storage import is_url, joined
from neural_mastering.errors import InputError
from neural_mastering.notes import Note

COLUMNS = ("path", "target", "style", "reference", "album", "isrc", "title")
"""That a manifest may have; others are carried by nobody and left alone."""

_LIKE = 0.8


@dataclass(frozen=True)
class Manifest:
    """The songs of a batch.

    Attributes:
        songs: in the order of the file, each once.
        notes: rows that were left out, columns that mean nothing here.
    """

    songs: tuple[Song, ...]
    notes: tuple[Note, ...] = ()


def read_manifest(path: str | Path) -> Manifest:
    """Read a manifest; relative paths are meant from its folder.

    Args:
        path: a CSV file in UTF-8 (with , ; or tabs), or a Parquet file.

    Raises:
        InputError: not such a file, no column `path`, a column that looks like a misspelt one, a row without a
            path, no rows.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist: give a CSV or Parquet file with a column 'path'")
    rows = _parquet_rows(path) if path.suffix.lower() in (".parquet", ".pq") else _csv_rows(path)
    names = next(rows)
    notes = _check_columns(path, list(names))
    folder = str(path.absolute().parent)
    songs: list[Song] = []
    counted: Counter[tuple[str, str | None]] = Counter()
    seen: dict[tuple[str | None, ...], int] = {}
    repeated = 0
    for number, row in enumerate(rows, 2):
        given = tuple(_text(row.get(name)) for name in COLUMNS)
        if not any(given):
            continue
        if given[0] is None:
            raise InputError(f"{path}, row {number}: there is no path; every row needs one")
        if given in seen:
            repeated += 1
            continue
        seen[given] = number
        songs.append(_song(given, folder, counted))
    if not songs:
        raise InputError(f"{path} names no songs: it needs a row for each, under a column 'path'")
    if repeated:
        notes.append(
            Note("repeated", f"{repeated} rows repeat an earlier one word for word; each song counts once")
        )
    return Manifest(tuple(songs), tuple(notes))


def _song(given: Sequence[str | None], folder: str, counted: Counter[tuple[str, str | None]]) -> Song:
    values = dict(zip(COLUMNS, given, strict=True))
    path, reference = str(values.pop("path")), values.pop("reference")
    own = (path, values["isrc"])
    identity = "\0".join((path, values["isrc"] or "", str(counted[own])))
    counted[own] += 1
    return Song(
        id=hashlib.blake2b(identity.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest(),
        path=path,
        location=_location(path, folder),
        reference=None if reference is None else _location(reference, folder),
        **values,
    )


def _location(path: str, folder: str) -> str:
    return path if is_url(path) else os.path.normpath(joined(folder, str(Path(path).expanduser())))


def _text(value: object) -> str | None:
    """A cell; None where it is empty."""
    if value is None or value != value:  # NaN, as some writers put for nothing
        return None
    return str(value).strip() or None


def _check_columns(path: Path, names: Sequence[str]) -> list[Note]:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise InputError(f"{path}: the column '{repeated[0]}' is there twice")
    if "path" not in names:
        found = ", ".join(f"'{name}'" for name in names[:12]) or "none"
        raise InputError(f"{path} has no column 'path'; its columns are {found}")
    unknown = [name for name in names if name not in COLUMNS]
    for name in unknown:
        like = difflib.get_close_matches(name, [c for c in COLUMNS if c not in names], 1, _LIKE)
        if like:
            raise InputError(f"{path}: a column '{name}' means nothing here; is it meant to be '{like[0]}'?")
    if not unknown:
        return []
    return [Note("columns", f"columns that mean nothing here are left alone: {', '.join(unknown[:12])}")]


def _csv_rows(path: Path) -> Iterator[Mapping[str, object]]:
    """The names of the columns as keys, then the rows."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            delimiter = max(",;\t", key=head.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter)
            names = [name.strip().lower() for name in next(reader, [])]
            _refuse_repeated(path, names)
            yield dict.fromkeys(names)
            for row in reader:
                if len(row) > len(names):
                    raise InputError(
                        f"{path}, row {reader.line_num}: {len(row)} cells under {len(names)} columns; "
                        f"put a cell that holds {delimiter!r} in quotes"
                    )
                yield dict(zip(names, row, strict=False))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path} is no CSV file in UTF-8 ({error}): save it as CSV, encoded in UTF-8"
        ) from error


def _refuse_repeated(path: Path, names: Sequence[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise InputError(f"{path}: the column '{repeated[0]}' is there twice")


def _parquet_rows(path: Path) -> Iterator[Mapping[str, object]]:
    pyarrow, parquet = pyarrow_parquet()
    try:
        file = parquet.ParquetFile(path)
        names = [name for name in file.schema_arrow.names if name in COLUMNS]
        yield dict.fromkeys(file.schema_arrow.names)
        for batch in file.iter_batches(columns=names):
            yield from batch.to_pylist()
    except pyarrow.lib.ArrowException as error:
        raise InputError(f"{path} is no Parquet file: {error}") from error


assert {field.name for field in fields(Song)} == {"id", "location", *COLUMNS}
