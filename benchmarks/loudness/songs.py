"""The songs of the comparison: two disjoint lists of 20 songs of 10 groups, one to tune on and one to report."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

GROUPS, PER_GROUP = 10, 2
LEAST_PLR_DB = 12.0
"""Songs whose peaks lie closer to their loudness have been limited already."""
SECONDS = 10
_TUNE = "3"
"""Groups whose hash is below this are for tuning, however much of the pool is there."""


@dataclass(frozen=True)
class Excerpt:
    """Ten seconds of a song: audio (channel, time)."""

    name: str
    sample_rate: int
    audio: NDArray[np.float64]


def excerpts(pool: Path, kind: str) -> Iterator[Excerpt]:
    """Songs of the list `kind` ("tune", "report") of a folder whose manifest.csv has file, package, lufs, tp_db."""
    groups: dict[str, list[str]] = defaultdict(list)
    with (pool / "manifest.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if float(row["tp_db"]) - float(row["lufs"]) >= LEAST_PLR_DB:
                groups[row["package"]].append(row["file"])
    usable = sorted((name for name, files in groups.items() if len(files) >= PER_GROUP), key=_shuffled)
    of_kind = [name for name in usable if (_shuffled(name) < _TUNE) == (kind == "tune")]
    for group in of_kind[:GROUPS]:
        for name in sorted(groups[group], key=_shuffled)[:PER_GROUP]:
            with soundfile.SoundFile(pool / name) as file:
                file.seek(max(file.frames // 2 - SECONDS * file.samplerate // 2, 0))
                audio = file.read(SECONDS * file.samplerate, dtype="float64", always_2d=True).T
                yield Excerpt(name, file.samplerate, np.ascontiguousarray(audio, np.float64))


def _shuffled(name: str) -> str:
    return sha256(name.encode()).hexdigest()
