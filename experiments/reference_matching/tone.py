"""Does a reference song help, and does a foreign one harm? Ours, restrained and in full, against Matchering.

    python -m experiments.reference_matching.tone MUSIC_FOLDER [--peer PYTHON] [--out FOLDER]

MUSIC_FOLDER holds one folder a group (album, game) with finished songs in it, as WAV or FLAC at 44.1 kHz. Each
song of the reported groups is degraded by a random equaliser (3 to 6 bands, ±6 dB) and a random level; the
finished song is the truth. References are the finished song itself, another song of its group, and a song of
another group. PYTHON is an interpreter with Matchering 2.0.6 in an environment of its own.
"""

import argparse
import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.song_folders import in_turn, songs_by_group
from experiments.reference_matching.cells import interval, worse
from experiments.reference_matching.distances import Distances
from experiments.reference_matching.equaliser import degrade, filtered
from experiments.reference_matching.excerpts import RATE, Samples, read
from experiments.reference_matching.matchering import match_all
from neural_mastering.metering.profile import profile_of
from neural_mastering.rendering.reference.match import match_references

REPORTED = ("hedgewars-data", "flare-game", "davegnukem-data")
"""Groups whose songs are reported; README.md says which groups the constants were chosen on."""

REFERENCES = ("own master", "same group", "foreign")
FOLLOW: dict[str, float | None] = {"default": None, "full": 1.0}
FINISHED = "default, finished song"
Row = dict[str, str | float]


def main() -> None:
    """Run what is not in the table yet, then print the summary."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path, help="a folder with one folder a group")
    parser.add_argument("--songs", type=int, default=36, help="how many, evenly from the groups")
    parser.add_argument("--seconds", type=float, default=60.0, help="this much from the middle of each song")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of the songs to do, to share the work")
    parser.add_argument("--groups", nargs="+", default=list(REPORTED), help="folders that are reported")
    parser.add_argument(
        "--references", nargs="+", choices=REFERENCES, default=list(REFERENCES), help="only these"
    )
    parser.add_argument("--peer", type=Path, help="a Python interpreter that has Matchering 2.0.6")
    parser.add_argument("--out", type=Path, default=Path("runs/reference_matching"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    groups = songs_by_group(arguments.music)
    missing = [name for name in arguments.groups if len(groups.get(name, ())) < 2]
    if missing:
        sys.exit(f"{arguments.music} has no folder '{missing[0]}' with two songs or more")
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = arguments.out / "rows.csv"
    rows = read_rows(table) if table.exists() else []
    done = {(row["song"], row["system"], row["reference"]) for row in rows}
    for number, song in enumerate(in_turn(groups, arguments.groups, arguments.songs)):
        if arguments.only and number not in arguments.only:
            continue
        for row in rows_of(song, groups, arguments, done):
            rows.append({key: str(value) for key, value in row.items()})
            write_rows(table, rows)
    report = summary(rows)
    (arguments.out / "table.md").write_text(report)
    print(report)


def rows_of(
    song: Path, groups: dict[str, list[Path]], settings: argparse.Namespace, done: set[tuple[str, str, str]]
) -> Iterator[Row]:
    """Errors of all systems for one song, leaving out what is done."""
    name = f"{song.parent.name}/{song.stem}"
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
    others = dict(zip(REFERENCES, (song, *other_songs(song, groups, rng)), strict=True))
    others = {name: path for name, path in others.items() if name in settings.references}
    systems = (*FOLLOW, FINISHED, *(("Matchering",) if settings.peer else ()))
    if all((name, system, reference) in done for system in systems for reference in others):
        return
    audio = {reference: read(path, settings.seconds) for reference, path in others.items()}
    truth = read(song, settings.seconds)
    degraded = degrade(truth, rng)
    distances = Distances(truth)

    def row(system: str, reference: str, result: Samples) -> Row:
        ltas_db, stft = distances.tone(result)
        return {
            "song": name,
            "system": system,
            "reference": reference,
            "ltas_db": round(ltas_db, 4),
            "mr_stft": round(stft, 5),
        }

    with ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(match_all, settings.peer, degraded, audio) if settings.peer else None
        yield row("nothing", "", degraded)
        finished, measured = profile_of([truth], RATE), profile_of([degraded], RATE)
        for reference, sound in audio.items():
            profile = finished if others[reference] == song else profile_of([sound], RATE)
            for system, follow in FOLLOW.items():
                match = match_references(measured, [(profile, 1.0)], follow)
                yield row(system, reference, filtered(match.controls.eq_sections(RATE), degraded))
            match = match_references(finished, [(profile, 1.0)])
            yield row(FINISHED, reference, filtered(match.controls.eq_sections(RATE), truth))
        for reference, result in (theirs.result() if theirs else {}).items():
            yield row("Matchering", reference, result)


def other_songs(song: Path, groups: dict[str, list[Path]], rng: np.random.Generator) -> tuple[Path, Path]:
    """Another song of the same group, and one of another group."""
    same = [other for other in groups[song.parent.name] if other != song]
    foreign = [other for name, songs in groups.items() if name != song.parent.name for other in songs]
    return same[rng.integers(len(same))], foreign[rng.integers(len(foreign))]


def summary(rows: list[dict[str, str]]) -> str:
    """Means with intervals over songs; in how many songs either error is larger than with nothing."""
    table: dict[tuple[str, str], dict[str, tuple[float, float]]] = defaultdict(dict)
    for row in rows:
        table[row["system"], row["reference"]][row["song"]] = float(row["ltas_db"]), float(row["mr_stft"])
    nothing = table["nothing", ""]
    lines = [
        "| system | reference | songs | third-octave error, dB | change, dB | MR-STFT | worse than nothing |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for (system, reference), by_song in table.items():
        values = np.array(list(by_song.values()))
        base = np.array([nothing[song] for song in by_song])
        compared = system not in ("nothing", FINISHED)
        change = interval(values[:, 0] - base[:, 0]) if compared else ""
        count = worse(values, base) if compared else ""
        lines.append(
            f"| {system} | {reference} | {len(values)} | {interval(values[:, 0])} | {change} | "
            f"{interval(values[:, 1], 3)} | {count} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
