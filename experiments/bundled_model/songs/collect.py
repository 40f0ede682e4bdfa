"""Choose the songs and write down whose they are: MUSIC/manifest.csv → OUT/music with splits, OUT/works.csv.

MUSIC is a folder with manifest.csv (columns file, package, version, source_path, dur_s, licence), the audio it
names below flac/, and copyright/PACKAGE, the copyright file of each package.
"""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from experiments.common.csv_files import read_rows, write_rows
from experiments.common.licences import Terms, simple_part, terms_of
from experiments.common.paths import SOURCES

COLUMNS = ("file", "group", "split", "work", "author", "licence", "version", "source_path")
SHORTEST_S = 20.0


def read_sources() -> dict[str, Any]:
    """The choices of sources.yaml."""
    return yaml.safe_load(SOURCES.read_text("utf-8"))


def collect(music: Path, out: Path) -> list[dict[str, str]]:
    """Link the chosen songs into OUT/music and write its manifest.csv and OUT/works.csv; returns the rows."""
    sources = read_sources()
    split_of = {p: split for split in ("train", "validation", "test") for p in sources[split]}
    rows, left_out = [], Counter[str]()
    for song in read_rows(music / "manifest.csv"):
        package = song["package"]
        split = split_of.get(package)
        reason, terms = "package not chosen", Terms("", "")
        if split is not None:
            reason, terms = _terms(music, song, sources, split)
        if reason is not None:
            left_out[f"{package}: {reason}"] += 1
            continue
        stem = Path(song["file"]).stem
        rows.append(
            {
                "file": f"{package}/{Path(song['file']).name}",
                "group": package,
                "split": str(split),
                "work": stem.replace("_", " "),
                "author": terms.author,
                "licence": terms.licence,
                "version": song["version"],
                "source_path": song["source_path"],
            }
        )
    folder = out / "music"
    if folder.exists():
        shutil.rmtree(folder)
    for row, path in ((row, music / "flac" / row["file"]) for row in rows):
        link = folder / row["file"]
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())
    for path in (folder / "manifest.csv", out / "works.csv"):
        write_rows(path, rows, COLUMNS)
    for what, count in sorted(left_out.items()):
        print(f"left out {count}: {what}")
    for split in ("train", "validation", "test"):
        own = [row for row in rows if row["split"] == split]
        print(f"{split}: {len(own)} songs of {len({row['group'] for row in own})} packages")
    return rows


def _terms(
    music: Path, song: dict[str, str], sources: dict[str, Any], split: str
) -> tuple[str | None, Terms]:
    """A reason to leave a song out, or None, and its terms."""
    package, stem = song["package"], Path(song["file"]).stem
    nothing = Terms("", "")
    if stem.casefold() in sources["bundled"].get(package, ()):
        return "bundled as a demo song", nothing
    if float(song["dur_s"]) < SHORTEST_S:
        return f"shorter than {SHORTEST_S:g} s", nothing
    prose = sources["prose"].get(package)
    terms = Terms(**prose) if prose else terms_of(music / "copyright" / package, "/" + song["source_path"])
    if split == "test":
        return None, terms or Terms(song["licence"], "see the package's copyright file")
    if terms is None:
        return "copyright file is prose", nothing
    simple = simple_part(terms.licence, sources["simple"])
    if simple is None:
        return f"licence {terms.licence}", nothing
    return None, Terms(simple, terms.author)
