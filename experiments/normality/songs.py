"""Songs of the pool as numbers: content features, third octaves, loudness; measured once and kept.

    python -m experiments.normality.songs MUSIC OUT

MUSIC holds manifest.csv (file, package, version, source_path, licence, lufs …), flac/ and copyright/PACKAGE. Songs
that OUT/songs holds already are not measured again. Nothing of a reserved package is read, since none is in MUSIC.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows
from experiments.common.licences import Terms, simple_part, terms_of
from experiments.common.normal_tone.measured_songs import Songs
from experiments.common.paths import SOURCES
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.metering.content import ContentMeter
from neural_mastering.metering.meter import Meter
from neural_mastering.metering.profile import Spectrum


def measure(path: Path) -> dict[str, NDArray[Any]] | None:
    """Numbers of one file by name; None where it is too short or silent."""
    with AudioReader(path) as reader:
        rate, channels = reader.sample_rate, reader.channels
        content = ContentMeter(rate, channels)
        meter = Meter(rate, channels, with_true_peak=False)
        spectrum = Spectrum(rate, channels)
        for block in reader.blocks():
            for each in (content, meter, spectrum):
                each.push(block)
    found, readings = content.finish(), meter.finish()
    if found is None or not np.isfinite(readings.lufs):
        return None
    profile = spectrum.profile(readings.lufs, readings.frames / rate)
    return {
        "names": np.array(found.names),
        "features": found.values,
        "levels_db": profile.levels_db,
        "filled": profile.filled,
        "lufs": np.array(readings.lufs),
    }


def measure_all(music: Path, out: Path) -> int:
    """Measure what is in the manifest and not yet in OUT/songs; returns how many."""
    count = 0
    for row in read_rows(music / "manifest.csv"):
        to = out / "songs" / row["package"] / f"{Path(row['file']).stem}.npz"
        if to.exists() or not (music / row["file"]).exists():
            continue
        numbers = measure(music / row["file"])
        if numbers is not None:
            to.parent.mkdir(parents=True, exist_ok=True)
            np.savez(to, allow_pickle=False, **numbers)
            count += 1
    return count


def load(music: Path, out: Path) -> Songs:
    """All measured songs of the manifest, with what their packages say about licences."""
    sources = yaml.safe_load(SOURCES.read_text("utf-8"))
    rows = sorted(read_rows(music / "manifest.csv"), key=lambda row: (row["package"], row["file"]))
    kept, numbers, simple = [], [], []
    for row in rows:
        file = out / "songs" / row["package"] / f"{Path(row['file']).stem}.npz"
        if not file.exists():
            continue
        numbers.append(dict(np.load(file)))
        kept.append((Path(row["file"]).stem, row["package"]))
        simple.append(_is_simple(music, row, sources))
    name, package = np.array(kept).T
    return Songs(
        name,
        package,
        np.isin(package, sources["test"]),
        np.array(simple),
        tuple(map(str, numbers[0]["names"])),
        np.stack([n["features"] for n in numbers]),
        np.stack([n["levels_db"] for n in numbers]),
        np.stack([n["filled"] for n in numbers]),
        np.array([float(n["lufs"]) for n in numbers]),
    )


def terms(music: Path, songs: Songs) -> list[dict[str, str]]:
    """Package, work, author and licence of each song."""
    sources = yaml.safe_load(SOURCES.read_text("utf-8"))
    rows = {(row["package"], Path(row["file"]).stem): row for row in read_rows(music / "manifest.csv")}
    found = []
    for package, name in zip(songs.package, songs.name, strict=True):
        stated = _terms(music, rows[str(package), str(name)], sources)
        licence = stated.licence if stated is not None else ""
        found.append(
            {
                "package": str(package),
                "work": str(name).replace("_", " ").strip(),
                "author": _without_addresses(stated.author) if stated is not None else "",
                "licence": simple_part(licence, list(sources["simple"])) or licence,
            }
        )
    return found


def _without_addresses(author: str) -> str:
    author = re.sub(r"<[^>]*@[^>]*>", "", author)
    return " ".join(re.sub(r"\S+@\S+", "", author).split())


def _terms(music: Path, row: dict[str, str], sources: dict[str, Any]) -> Terms | None:
    """What its package says about a song."""
    prose = sources["prose"].get(row["package"])
    if prose is not None:
        return Terms(**prose)
    file = music / "copyright" / row["package"]
    return terms_of(file, "/" + row["source_path"]) if file.is_file() else None


def _is_simple(music: Path, row: dict[str, str], sources: dict[str, Any]) -> bool:
    """Whether a work's own licence is on the list; songs that are bundled as demos are not used."""
    if Path(row["file"]).stem.casefold() in sources["bundled"].get(row["package"], ()):
        return False
    stated = _terms(music, row, sources)
    return stated is not None and simple_part(stated.licence, list(sources["simple"])) is not None


def main() -> None:
    """Measure."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    sys.stdout.write(f"{measure_all(arguments.music, arguments.out)} songs measured\n")


if __name__ == "__main__":
    main()
