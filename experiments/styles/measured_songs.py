"""The songs of a music folder with what they measure, kept in a file between runs."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml

from experiments.common.csv_files import read_rows
from experiments.common.paths import SOURCES
from neural_mastering.notes import Note
from neural_mastering.styles.measure_files import measure_files
from neural_mastering.styles.song import SongTone
from neural_mastering.worker_pool import default_jobs


@dataclass(frozen=True)
class Work:
    """A song of the pool.

    Attributes:
        package: game or album; songs of one package are alike.
        title: stem of its file.
        version: of the package.
        source: path of the original in the package.
        licence: in words.
        song: what it measures.
    """

    package: str
    title: str
    version: str
    source: str
    licence: str
    song: SongTone


def works_of(folder: Path, keep: Path | None, jobs: int = 0) -> list[Work]:
    """Songs that `folder/manifest.csv` lists; measurements are read from `keep` and added to it."""
    rows = read_rows(folder / "manifest.csv")
    kept = json.loads(keep.read_text("utf-8")) if keep is not None and keep.exists() else {}
    new = [row["file"] for row in rows if row["file"] not in kept and (folder / row["file"]).exists()]
    results = measure_files([folder / file for file in new], jobs or default_jobs())
    for file, measured in zip(new, results, strict=True):
        kept[file] = measured.text if isinstance(measured, Note) else _to_plain(measured)
    if keep is not None and new:
        keep.parent.mkdir(parents=True, exist_ok=True)
        keep.write_text(json.dumps(kept), "utf-8")
    return [_work(row, kept[row["file"]]) for row in rows if isinstance(kept.get(row["file"]), dict)]


def training_works(parser: argparse.ArgumentParser) -> list[Work]:
    """Songs without a fault of the packages that are not held out, as a study's command line names them."""
    parser.add_argument("music", type=Path)
    parser.add_argument("--measured", type=Path, help="keep measurements in this JSON file")
    parser.add_argument("--sources", type=Path, default=SOURCES)
    arguments = parser.parse_args()
    test = yaml.safe_load(arguments.sources.read_text("utf-8"))["test"]
    every = works_of(arguments.music, arguments.measured)
    return [work for work in every if work.package not in test and not work.song.fault]


@dataclass(frozen=True)
class HeldOut:
    """A package, and what is learned from without it.

    Attributes:
        package: its name.
        own: its songs.
        others: all other songs.
        shares: (other,) weights, so that a package counts as the square root of its songs.
    """

    package: str
    own: list[Work]
    others: list[Work]
    shares: list[float]


def held_out_in_turn(works: Sequence[Work]) -> Iterator[HeldOut]:
    """Each package against the songs of all others."""
    by_package = groups(works)
    for package, own in by_package.items():
        others = [work for work in works if work.package != package]
        yield HeldOut(package, own, others, [len(by_package[work.package]) ** -0.5 for work in others])


def groups(works: Sequence[Work]) -> dict[str, list[Work]]:
    """Works by package."""
    found: dict[str, list[Work]] = {}
    for work in works:
        found.setdefault(work.package, []).append(work)
    return found


def _work(row: dict[str, str], plain: dict) -> Work:
    title = Path(row["file"]).stem
    fields = dict(plain)
    for name, value in plain.items():
        if isinstance(value, list):
            fields[name] = np.array(value, dtype=bool if name == "filled" else np.float64)
    # the pool is turned down where decoding passed full scale
    fields["lufs"] -= float(row["gain_db"] or 0.0)
    song = SongTone(**{**fields, "name": f"{row['package']}/{title}"})
    return Work(row["package"], title, row["version"], row["source_path"], row["licence"], song)


def _to_plain(song: SongTone) -> dict:
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in asdict(song).items()}
