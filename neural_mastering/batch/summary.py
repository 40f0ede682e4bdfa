"""The page of a batch: how its songs are distributed, which are unlike the others, what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from neural_mastering.batch.errors import KINDS
from neural_mastering.batch.histogram import histogram
from neural_mastering.batch.outliers import Outlier, outliers
from neural_mastering.batch.parquet import pyarrow_parquet
from neural_mastering.batch.request import BatchRequest
from neural_mastering.batch.results import TABLE, read_table
from neural_mastering.rendering.outputs.numbers import SCHEMA_VERSION
from neural_mastering.reporting.charts import spectra_chart
from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.html_table import scrolling
from neural_mastering.reporting.markup import Html, number, tag
from neural_mastering.reporting.page import section, write_page
from neural_mastering.reporting.report_data import Chart, ChartLine

PAGE = "summary.html"
_LISTED, _EXAMPLES = 100, 3


@dataclass(frozen=True)
class Quantity:
    """A column that the page shows.

    Attributes:
        column: of the table.
        title, unit: as printed.
        floor: least standard deviation for outliers; 0 looks for none.
    """

    column: str
    title: str
    unit: str
    floor: float = 0.0


QUANTITIES = (
    Quantity("input.lufs", "Loudness of the source", "LUFS", 1.0),
    Quantity("input.true_peak_db", "True peak of the source", "dBTP"),
    Quantity("input.plr_db", "Peak to loudness of the source", "dB", 1.0),
    Quantity("input.lra", "Loudness range of the source", "LU", 1.0),
    Quantity("input.width_db", "Width of the source: side over mid", "dB", 2.0),
    Quantity("input.correlation", "Correlation of left and right", "", 0.1),
    Quantity("input.duration_s", "Length", "s"),
    Quantity("output.lufs", "Loudness of the master", "LUFS", 0.5),
    Quantity("output.true_peak_db", "True peak of the master", "dBTP", 0.2),
    Quantity("delivery.gain_db", "Gain", "dB", 1.0),
    Quantity("delivery.max_reduction_db", "Most that the limiter took off", "dB", 0.5),
    Quantity("seconds", "Time for a song", "s"),
)


@dataclass(frozen=True)
class _Songs:
    """What the page is made from, in the order of the manifest."""

    columns: Mapping[str, list[Any]]
    values: Mapping[str, NDArray[np.float64]]
    tone_hz: NDArray[np.float64]
    tone_db: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.columns["id"])

    def where(self, status: str) -> list[int]:
        return [row for row, own in enumerate(self.columns["status"]) if own == status]


def write_summary(request: BatchRequest) -> Path:
    """Write the page of a batch from its table; songs that the manifest does not name are left out.

    Raises:
        InputError: there is no table, or the page can't be written.
    """
    songs = _read(request)
    title = {"master": "Masters", "measure": "Health report", "evaluate": "Evaluation"}[request.kind]
    return write_page(request.out / PAGE, f"{title}: {len(songs):,} songs", _body(request, title, songs))


def _read(request: BatchRequest) -> _Songs:
    pyarrow, parquet = pyarrow_parquet()
    schema = parquet.read_schema(request.out / TABLE)
    named = [
        "id",
        "path",
        "name",
        "status",
        "error_kind",
        "error",
        "error_detail",
        "master",
        "warnings.kind",
        "host",
    ]
    shown = [q.column for q in QUANTITIES if q.column in schema.names]
    bands = [name for name in schema.names if name.startswith("tone.") and name.endswith("_hz_db")]
    bands.sort(key=_band_hz)
    table = read_table(request.out, [*named, *shown, *bands])
    order = {song.id: place for place, song in enumerate(request.songs)}
    places = [order.get(own, -1) for own in table.column("id").to_pylist()]
    rows = sorted((row for row, place in enumerate(places) if place >= 0), key=lambda row: places[row])
    table = table.take(pyarrow.array(rows, pyarrow.int64()))
    there = set(table.column_names)
    columns = {n: table.column(n).to_pylist() if n in there else [None] * table.num_rows for n in named}

    def floats(name: str) -> NDArray[np.float64]:
        return np.array([np.nan if v is None else float(v) for v in table.column(name).to_pylist()])

    tone_db = np.stack([floats(name) for name in bands], axis=1) if bands else np.zeros((table.num_rows, 0))
    return _Songs(
        columns, {name: floats(name) for name in shown}, np.array([_band_hz(b) for b in bands]), tone_db
    )


def _band_hz(column: str) -> float:
    return float(column.removeprefix("tone.").removesuffix("_hz_db"))


def _body(request: BatchRequest, title: str, songs: _Songs) -> Iterator[Html]:
    done, failed = songs.where("done"), songs.where("failed")
    hours = float(np.nansum(songs.values.get("input.duration_s", np.zeros(1)))) / 3600.0
    work_hours = float(np.nansum(songs.values.get("seconds", np.zeros(1)))) / 3600.0
    missing = len(request.songs) - len(songs)
    yield tag(
        "header", tag("p", "nm-batch", class_="kind"), tag("h1", title), tag("p", _sub(missing), class_="sub")
    )
    yield tag(
        "div",
        _tile("Songs", f"{len(request.songs):,}"),
        _tile("Done", f"{len(done):,}"),
        _tile("Failed", f"{len(failed):,}"),
        _tile("Music", _hours(hours)),
        _tile("Work", _hours(work_hours), "of one process"),
        class_="tiles",
    )
    yield Html("<main>")
    if failed:
        yield section("Failures", *_failures(songs, failed), id_="failures")
    if any(songs.columns["warnings.kind"]):
        yield section("Findings", _findings(songs, done), id_="findings")
    charts = [
        histogram(songs.values[q.column], q.title, q.unit) for q in QUANTITIES if q.column in songs.values
    ]
    if any(charts):
        yield section("Distributions", tag("div", *charts, class_="two"), id_="distributions")
    if songs.tone_hz.size and len(done) > 1:
        yield section("Tonal balance", _tone(songs), id_="tone")
    unusual = outliers(
        {q.column: songs.values[q.column] for q in QUANTITIES if q.floor and q.column in songs.values},
        {q.column: q.floor for q in QUANTITIES},
    )
    if unusual:
        yield section("Unlike the others", *_unusual(request, songs, unusual), id_="outliers")
    yield Html("</main>")


def _sub(missing: int) -> str:
    text = f"Numbers of every song: results.parquet (schema {SCHEMA_VERSION})."
    return text if not missing else f"{missing:,} songs of the manifest have no row yet. {text}"


def _tile(label: str, value: str, small: str | None = None) -> Html:
    return tag(
        "div", tag("span", label), tag("b", value), tag("small", small) if small else None, class_="tile"
    )


def _hours(hours: float) -> str:
    return f"{hours:,.1f} h" if hours >= 2.0 else f"{60.0 * hours:.0f} min"


def _failures(songs: _Songs, failed: Sequence[int]) -> Iterator[Html]:
    kinds = Counter(str(songs.columns["error_kind"][row]) for row in failed)
    yield tag(
        "ul",
        *(tag("li", f"{count:,} × {kind}: {KINDS.get(kind, '')}") for kind, count in kinds.most_common()),
        class_="plain",
    )
    rows = [
        [songs.columns[name][row] for name in ("path", "error_kind", "error")] for row in failed[:_LISTED]
    ]
    yield _table(("Song", "Kind", "What happened"), rows)
    if len(failed) > _LISTED:
        yield tag(
            "p", f"The first {_LISTED} of {len(failed):,}; all are in results.parquet.", class_="caption"
        )


def _findings(songs: _Songs, done: Sequence[int]) -> Html:
    by_kind: dict[str, list[int]] = {}
    for row in done:
        for kind in dict.fromkeys(songs.columns["warnings.kind"][row] or ()):
            by_kind.setdefault(kind, []).append(row)
    rows = [
        [
            kind.replace("_", " "),
            f"{len(found):,}",
            f"{100.0 * len(found) / len(done):.1f}\N{NO-BREAK SPACE}%",
            ", ".join(songs.columns["name"][row] for row in found[:_EXAMPLES]),
        ]
        for kind, found in sorted(by_kind.items(), key=lambda item: -len(item[1]))
    ]
    return _table(("Finding", "Songs", "Share", "Such as"), rows)


def _tone(songs: _Songs) -> Html:
    with np.errstate(all="ignore"):
        low, middle, high = (np.nanpercentile(songs.tone_db, p, axis=0) for p in (10, 50, 90))
    chart = Chart(songs.tone_hz, [ChartLine("median", middle)], corridor=(low, high))
    return spectra_chart(
        chart,
        Colours(),
        "Third octaves less the loudness",
        "Shaded: 10 to 90 % of the songs. Empty bands are left out.",
    )


def _unusual(request: BatchRequest, songs: _Songs, found: Sequence[Outlier]) -> Iterator[Html]:
    titles = {q.column: q for q in QUANTITIES}
    rows = []
    for item in found[:_LISTED]:
        quantity = titles[item.column]
        name, values = songs.columns["name"][item.row], songs.values[item.column]
        rows.append(
            [
                _linked(request, name),
                quantity.title,
                f"{number(item.value, 1)} {quantity.unit}".strip(),
                f"{number(float(np.nanmedian(values)), 1)} {quantity.unit}".strip(),
                number(item.deviations, 1, True),
            ]
        )
    yield _table(("Song", "Quantity", "Value", "Median", "Deviations"), rows)
    yield tag(
        "p",
        "Values more than 4 robust standard deviations from the median. "
        + (f"The furthest {_LISTED} of {len(found):,}." if len(found) > _LISTED else ""),
        class_="caption",
    )


def _linked(request: BatchRequest, name: str) -> object:
    """The name, as a link to the song's report where there is one."""
    if not (request.out / "reports" / name / "report.html").exists():
        return name
    return tag("a", name, href=f"reports/{quote(name)}/report.html")


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    head = tag("tr", *(tag("th", name, scope="col", class_="text") for name in columns))
    body = [
        tag("tr", *(tag("td", "–" if cell is None else cell, class_="text") for cell in row)) for row in rows
    ]
    return scrolling(tag("table", tag("thead", head), tag("tbody", *body), class_="sortable"))
