"""How near do the dynamics of a master come to another song's? From file to file, with delivery.

    python -m experiments.reference_matching.dynamics MUSIC_FOLDER [--pairs 40] [--out FILE]

MUSIC_FOLDER holds one folder a group (album, game). Song and reference are of different groups. Each song is
mastered at the reference's loudness with `--match dynamics=0` and `dynamics=1`; everything else is as by default.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.song_folders import songs_by_group
from experiments.reference_matching.cells import interval
from experiments.reference_matching.excerpts import RATE, read
from experiments.reference_matching.following import evenly, foreign_pairs, is_stereo, name_of
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.reference.distances import levels_distance_db
from neural_mastering.rendering.reference.measured import SongMeasures, measures_of_file
from neural_mastering.rendering.reference.shares import MatchShares

SHARES = (0.0, 1.0)
NEAR_DB = 1.0
"""Ratios of peak to loudness that differ by less are taken for the same."""

Row = dict[str, str | float]


def main() -> None:
    """Run the pairs that are not in the table yet, then print the summary."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path, help="a folder with one folder a group")
    parser.add_argument("--pairs", type=int, default=40, help="how many")
    parser.add_argument("--songs", type=int, default=4, help="at most so many of a group, evenly")
    parser.add_argument("--seconds", type=float, default=20.0, help="this much from the middle of each song")
    parser.add_argument("--out", type=Path, default=Path("runs/reference_dynamics.csv"), help="all rows")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    songs = {
        name: evenly([song for song in found if is_stereo(song)], arguments.songs)
        for name, found in songs_by_group(arguments.music).items()
    }
    pairs = foreign_pairs({name: found for name, found in songs.items() if found}, arguments.pairs)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = list(read_rows(arguments.out)) if arguments.out.exists() else []  # pyright: ignore[reportAssignmentType]
    done = {(row["song"], row["reference"]) for row in rows}
    for song, reference in pairs:
        if (name_of(song), name_of(reference)) not in done:
            rows.append(row_of(song, reference, arguments.seconds))
            write_rows(arguments.out, rows)
    print(summary(rows))


def row_of(song: Path, reference: Path, seconds: float) -> Row:
    """Distances of two masters of one song from its reference."""
    row: Row = {"song": name_of(song), "reference": name_of(reference)}
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{name}.wav" for name in ("song", "reference")]
        for path, source in zip(files, (song, reference), strict=True):
            soundfile.write(path, read(source, seconds).T, RATE, subtype="FLOAT")
        wanted = measures_of_file(files[1])
        for share in SHARES:
            output = Path(folder) / f"{share:g}.wav"
            options = Options(references=((files[1], 1.0),), match=MatchShares(dynamics=share))
            result = master(files[0], output, options)
            row |= _distances(measures_of_file(output), wanted, f"{share:g}")
            row[f"short_lu_{share:g}"] = (result.spec.lufs or result.result.lufs) - result.result.lufs
            row[f"reduction_db_{share:g}"] = result.delivery.max_reduction_db
    return row


def _distances(own: SongMeasures, wanted: SongMeasures, name: str) -> Row:
    return {
        f"plr_over_db_{name}": own.readings.plr_db - wanted.readings.plr_db,
        f"levels_db_{name}": levels_distance_db(own.movement.levels_db, wanted.movement.levels_db),
    }


def summary(rows: Sequence[Row]) -> str:
    """Distances before and after, for all pairs and by which of the two is denser."""
    over = np.array([float(row["plr_over_db_0"]) for row in rows])
    kinds = {
        "all": np.ones(over.size, bool),
        "the reference is denser": over > NEAR_DB,
        "the song is denser": over < -NEAR_DB,
    }
    heads = (
        "pairs",
        "peaks to loudness, dB",
        "after, dB",
        "after/before",
        "levels, dB",
        "after, dB",
        "after/before",
        "short of target by > 0.1 LU",
    )
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "--:|" * len(heads)]
    for name, used in kinds.items():
        own = [row for row, is_used in zip(rows, used, strict=True) if is_used]
        cells = [str(len(own))]
        for key in ("plr_over_db", "levels_db"):
            before, after = (np.abs([float(row[f"{key}_{share:g}"]) for row in own]) for share in SHARES)
            cells += [f"{before.mean():.2f}", f"{after.mean():.2f}", f"{after.mean() / before.mean():.2f}"]
        short = sum(float(row["short_lu_1"]) > 0.1 >= float(row["short_lu_0"]) for row in own)
        lines.append(f"| {name} | " + " | ".join([*cells, str(short)]) + " |")
    ratios = np.array([float(row["levels_db_1"]) / float(row["levels_db_0"]) for row in rows])
    return "\n".join(lines) + f"\n\nlevels, mean of after/before: {interval(ratios)}\n"


if __name__ == "__main__":
    main()
