"""The table of results: parts while songs come in, one file when they are merged, each song once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from neural_mastering.atomic import replacing
from neural_mastering.batch.lock import merging
from neural_mastering.batch.parquet import pyarrow_parquet
from neural_mastering.batch.work import Row
from neural_mastering.errors import InputError

TABLE, PARTS = "results.parquet", "parts"
_ROWS_A_PART, _SECONDS_A_PART, _PARTS_A_MERGE = 256, 5.0, 64
_ROWS_A_GROUP = 4096
_TEXTS = ("id", "path", "name", "album", "isrc", "status", "error_kind", "error", "error_detail")
"""Columns of text in every table, whether or not a row has one."""
_LISTS_FIRST = ("id", "path", "name", "album", "isrc", "status", "error_kind", "error", "seconds", "master")


@dataclass(frozen=True)
class ResultRecord:
    """What the next run needs to know of a song.

    Attributes:
        id: of the song.
        status: "done" or "failed".
        error_kind: of a failure.
        stamp, content, options, version: what its row was made from.
        master: file below the folder of the masters, None without one.
        master_bytes: its size.
        seconds: that it took.
        finished: when, ISO 8601.
    """

    id: str
    status: str
    error_kind: str | None = None
    stamp: str | None = None
    content: str | None = None
    options: str | None = None
    version: str | None = None
    master: str | None = None
    master_bytes: float | None = None
    seconds: float | None = None
    finished: str | None = None


class ResultWriter:
    """Keeps rows as they come, in parts of some seconds; what is written once survives anything.

    A full disk keeps the rows in memory for the next attempt.

    Args:
        out: folder of the results.
        name: that the parts begin with; None takes a new one.
        merges: whether many parts are put into the table on the way.
    """

    def __init__(self, out: Path, name: str | None = None, merges: bool = True) -> None:
        self._out, self._merges = out, merges
        self._name = f"{name or f'{time.time_ns():x}'}-{uuid.uuid4().hex[:8]}"
        self._rows: list[Row] = []
        self._since = 0.0
        self._parts = 0
        self.error: InputError | None = None

    def add(self, rows: Sequence[Row]) -> None:
        """Keep rows; every few seconds they go to the disk."""
        if not self._rows:
            self._since = time.monotonic()
        self._rows += rows
        if len(self._rows) >= _ROWS_A_PART or time.monotonic() - self._since >= _SECONDS_A_PART:
            self.flush()

    def flush(self) -> None:
        """Write what is pending; `error` says why that failed."""
        if not self._rows:
            return
        try:
            table = _table(self._rows)
            _write(
                self._out / PARTS / f"{self._name}-{self._parts:06d}.parquet",
                [table],
                _unified([table.schema]),
            )
        except InputError as error:
            self.error, self._since = error, time.monotonic()
            return
        self._rows, self.error = [], None
        self._parts += 1
        if self._merges and self._parts % _PARTS_A_MERGE == 0:
            merge(self._out)

    def close(self) -> None:
        """Write what is pending, and merge all parts into the table.

        Raises:
            InputError: it can't be written; a rerun does what is not in the table.
        """
        self.flush()
        if self.error is not None:
            raise self.error
        merge(self._out)


def merge(out: Path) -> None:
    """Put all parts into the table. Of several rows of a song the latest counts.

    The parts are removed only when the new table lies on the disk, so an end at any moment loses nothing.

    Raises:
        InputError: the table can't be written.
    """
    with merging(out):
        parts = _parts(out)
        if not parts:
            return
        table = out / TABLE
        files = [*([table] if table.exists() else []), *parts]
        _, parquet = pyarrow_parquet()
        latest: dict[str, tuple[str, int, int]] = {}
        for number, file in enumerate(files):
            for place, row in enumerate(_read(file, ["id", "finished"])):
                own = (str(row["finished"]), number, place)
                if row["id"] not in latest or own >= latest[row["id"]]:
                    latest[row["id"]] = own
        chosen: dict[int, list[int]] = {}
        for _, number, place in latest.values():
            chosen.setdefault(number, []).append(place)
        _write(table, _chosen(files, chosen), _unified([parquet.read_schema(file) for file in files]))
        for part in parts:
            part.unlink(missing_ok=True)


def read_records(out: Path) -> dict[str, ResultRecord]:
    """The latest record of each song, from the table and the parts beside it."""
    names = [field.name for field in fields(ResultRecord)]
    found: dict[str, ResultRecord] = {}
    for file in [*([out / TABLE] if (out / TABLE).exists() else []), *_parts(out)]:
        for row in _read(file, names):
            record = ResultRecord(**row)
            if record.id not in found or (record.finished or "") >= (found[record.id].finished or ""):
                found[record.id] = record
    return found


def writer_parts(out: Path, name: str) -> list[Path]:
    """Parts by writers whose names begin like this."""
    return [part for part in _parts(out) if part.name.startswith(name)]


def rows_of_part(part: Path) -> list[Row]:
    """What is said of each song of a part: how it went."""
    names = ("id", "path", "name", "status", "error_kind", "error", "seconds")
    return list(_read(part, names))


def read_table(out: Path, columns: Sequence[str] | None = None) -> Any:
    """The merged table as a pyarrow.Table; columns that no row has are left out.

    Raises:
        InputError: there is none.
    """
    _, parquet = pyarrow_parquet()
    path = out / TABLE
    if not path.exists():
        raise InputError(f"{path} does not exist: nothing was done there yet")
    if columns is None:
        return parquet.read_table(path)
    there = set(parquet.read_schema(path).names)
    return parquet.read_table(path, columns=[name for name in columns if name in there])


def _parts(out: Path) -> list[Path]:
    return sorted((out / PARTS).glob("[!.]*.parquet"))


def _read(file: Path, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The columns of a file that it has, row by row; the others as None."""
    pyarrow, parquet = pyarrow_parquet()
    try:
        opened = parquet.ParquetFile(file)
        there = [name for name in names if name in opened.schema_arrow.names]
        missing = {name: None for name in names if name not in there}
        for batch in opened.iter_batches(columns=there):
            columns = [batch.column(name).to_pylist() for name in there]
            for values in zip(*columns, strict=True):
                yield dict(zip(there, values, strict=True)) | missing
    except (pyarrow.lib.ArrowException, OSError) as error:
        raise InputError(
            f"{file} can't be read ({error}): remove it; the songs in it are done again"
        ) from error


def _table(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows that need not have the same columns."""
    pyarrow, _ = pyarrow_parquet()
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        try:
            columns[name] = pyarrow.array(values)
        except (pyarrow.lib.ArrowInvalid, pyarrow.lib.ArrowTypeError):  # numbers here and texts there
            columns[name] = pyarrow.array([None if v is None else str(v) for v in values])
    return pyarrow.table(columns)


def _chosen(files: Sequence[Path], chosen: Mapping[int, Sequence[int]]) -> Iterator[Any]:
    """The rows that count, some thousand at a time, so that the whole table never lies in memory."""
    pyarrow, parquet = pyarrow_parquet()
    for number, places in sorted(chosen.items()):
        wanted = sorted(places)
        opened, first = parquet.ParquetFile(files[number]), 0
        for group in range(opened.num_row_groups):
            table = opened.read_row_group(group)
            here = [place - first for place in wanted if first <= place < first + table.num_rows]
            first += table.num_rows
            if here:
                yield table.take(pyarrow.array(here))


def _write(path: Path, tables: Iterable[Any], schema: Any) -> None:
    """Write tables as one file under a schema that fits them all."""
    pyarrow, parquet = pyarrow_parquet()
    with replacing(path) as draft, parquet.ParquetWriter(draft, schema, compression="zstd") as writer:
        waiting: list[Any] = []  # groups of few rows cost more in headers than in numbers
        for table in tables:
            waiting.append(_fitted(table, schema))
            if sum(own.num_rows for own in waiting) >= _ROWS_A_GROUP:
                writer.write_table(pyarrow.concat_tables(waiting))
                waiting = []
        if waiting:
            writer.write_table(pyarrow.concat_tables(waiting))


def _unified(schemas: Sequence[Any]) -> Any:
    """One field for each column of any schema: numbers are float64, what disagrees is text."""
    pyarrow, _ = pyarrow_parquet()
    kinds: dict[str, Any] = dict.fromkeys(_TEXTS, pyarrow.string())
    for schema in schemas:
        for field in schema:
            known = kinds.get(field.name)
            kinds[field.name] = field.type if known is None else _common(known, field.type)
    names = [name for name in _LISTS_FIRST if name in kinds]
    names += sorted(name for name in kinds if name not in names)
    return pyarrow.schema([(name, kinds[name]) for name in names])


def _common(one: Any, other: Any) -> Any:
    pyarrow, _ = pyarrow_parquet()
    if one == other or pyarrow.types.is_null(other):
        return one
    if pyarrow.types.is_null(one):
        return other
    return pyarrow.string()


def _fitted(table: Any, schema: Any) -> Any:
    pyarrow, _ = pyarrow_parquet()
    columns = []
    for field in schema:
        if field.name not in table.schema.names:
            columns.append(pyarrow.nulls(table.num_rows, field.type))
            continue
        column = table.column(field.name)
        if (
            column.type != field.type
            and not pyarrow.types.is_null(column.type)
            and field.type == pyarrow.string()
        ):
            column = pyarrow.array(
                [None if v is None else str(v) for v in column.to_pylist()], pyarrow.string()
            )
        columns.append(column.cast(field.type))
    return pyarrow.table(columns, schema=schema)
