"""Do the compressor and the width that a reference asks for help, and does another song leave them alone?

    python -m experiments.reference_matching.stages PAIRS_FOLDER [--peer PYTHON] [--out FILE]

PAIRS_FOLDER is made by nm-data degrade: unmastered/*.flac, mastered/*.flac at 44.1 kHz, and manifest.csv. Each
input is matched to its own master, to the master of another song of its group, and to that of a song of another
group: with the equaliser alone, with all stages, and by Matchering 2.0.6, where PYTHON is an interpreter that has
it. Without a reference the bundled model sets the tone, as in nm-master. Numbers are errors against the master,
at its loudness.
"""

import argparse
import csv
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import torch

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows
from experiments.reference_matching.cells import interval, worse
from experiments.reference_matching.distances import Distances
from experiments.reference_matching.excerpts import RATE, Samples, read
from experiments.reference_matching.matchering import match_all
from neural_mastering.controls import ChainControls
from neural_mastering.metering.measure import measure
from neural_mastering.metering.movement import movement_of
from neural_mastering.metering.profile import profile_of
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.reference.dynamics import match_stages
from neural_mastering.rendering.reference.match import match_references
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.tone.choose import choose_tone

COLUMNS = ("third octaves, dB", "MR-STFT", "levels of 50 ms, dB", "width, dB")
REFERENCES = ("own master", "same group", "foreign")
EQUALISER, ALL_STAGES = "equaliser", "equaliser, compressor, width"
MODEL, PEER = "bundled model", "Matchering"
Row = tuple[str, str, str, float, float, float, float]
Song = dict[str, str]


def main() -> None:
    """One row a song, system and reference; then the table."""
    parser = parser_of(__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--split", default="all", help="of the manifest")
    parser.add_argument("--songs", type=int, default=1_000, help="how many, evenly from the split")
    parser.add_argument("--seconds", type=float, default=20.0, help="this much from the middle of each song")
    parser.add_argument("--peer", type=Path, help="a Python interpreter that has Matchering 2.0.6")
    parser.add_argument(
        "--out", type=Path, help="a CSV file of all numbers; songs that are in it are not run again"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    manifest = read_rows(arguments.pairs / "manifest.csv")
    songs = [row for row in manifest if arguments.split in ("all", row["split"])]
    count = min(arguments.songs, len(songs))
    rows = load(arguments.out) if arguments.out else []
    for number in sorted({round(i * len(songs) / count) for i in range(count)}):
        if any(row[0] == songs[number]["file"] for row in rows):
            continue
        rows += rows_of(number, songs, arguments)
        if arguments.out:
            with arguments.out.open("w", newline="") as file:
                csv.writer(file).writerows([("song", "system", "reference", *COLUMNS), *rows])
        print(songs[number]["file"], len(rows), flush=True)
    print(summary(rows))


def load(path: Path) -> list[Row]:
    """Rows of an earlier run."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [
            (song, system, reference, float(a), float(b), float(c), float(d))
            for song, system, reference, a, b, c, d in list(csv.reader(file))[1:]
        ]


def rows_of(number: int, songs: list[Song], settings: argparse.Namespace) -> list[Row]:
    """Errors of all systems for one song."""
    name = songs[number]["file"]
    audio = read(settings.pairs / "unmastered" / name, settings.seconds)
    references = {
        kind: read(settings.pairs / "mastered" / song["file"], settings.seconds)
        for kind, song in references_of(number, songs).items()
    }
    distances = Distances(references[REFERENCES[0]])
    rows: list[Row] = [(name, "nothing", "", *distances.tone(audio), *distances.movement(audio))]
    results = {(MODEL, ""): without_reference(audio)}
    results |= {
        (system, kind): x for kind, r in references.items() for system, x in matched(audio, r).items()
    }
    if settings.peer:
        results |= {(PEER, kind): x for kind, x in match_all(settings.peer, audio, references).items()}
    for (system, kind), result in results.items():
        rows.append((name, system, kind, *distances.tone(result), *distances.movement(result)))
    return rows


def references_of(number: int, songs: list[Song]) -> dict[str, Song]:
    """The song itself, another one of its group where there is one, one of another group."""
    song = songs[number]
    same = [s for s in songs if s["group"] == song["group"] and s is not song]
    others = [s for s in songs if s["group"] != song["group"]]
    found = (song, same[number % len(same)] if same else None, others[(5 * number) % len(others)])
    return {kind: s for kind, s in zip(REFERENCES, found, strict=True) if s is not None}


def matched(audio: Samples, reference: Samples) -> dict[str, Samples]:
    """Results of the equaliser alone, and of all stages."""
    song = profile_of([audio], RATE)
    match = match_references(song, [(profile_of([reference], RATE), 1.0)])
    further = match_stages(
        [audio],
        RATE,
        song.lufs,
        movement_of([audio], RATE),
        movement_of([reference], RATE),
        match.same_song,
        match.controls.eq_sections(RATE),
    )
    controls = replace(match.controls, stages=further.stages)
    return {EQUALISER: rendered(match.controls, audio), ALL_STAGES: rendered(controls, audio)}


def without_reference(audio: Samples) -> Samples:
    """What nm-master makes of a song's tone without a reference."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "song.wav"
        soundfile.write(path, audio.T, RATE, subtype="FLOAT")
        with ExitStack() as resources:
            tone = choose_tone(measure(path, path.parent, resources), Options(), lambda _: None)
    return rendered(tone.controls, audio)


def rendered(controls: ChainControls, audio: Samples) -> Samples:
    """A song through the chain."""
    return np.concatenate(list(run_stages(build_stages(controls, RATE, len(audio)), [audio])), axis=1)


def summary(rows: list[Row]) -> str:
    """Means with intervals over songs; songs with a larger error than with nothing, for each error."""
    table: dict[tuple[str, str], dict[str, tuple[float, ...]]] = defaultdict(dict)
    for song, system, reference, *values in rows:
        table[system, reference][song] = tuple(values)
    nothing = table["nothing", ""]
    lines = [
        f"| system | reference | songs | {' | '.join(COLUMNS)} | worse than nothing |",
        "|---|---|--:|" + "--:|" * (len(COLUMNS) + 1),
    ]
    for (system, reference), by_song in table.items():
        values = np.array(list(by_song.values()))
        cells = [interval(column[np.isfinite(column)], 3) for column in values.T]
        count = worse(values, np.array([nothing[s] for s in by_song])) if system != "nothing" else ""
        lines.append(f"| {system} | {reference} | {len(values)} | {' | '.join(cells)} | {count} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
