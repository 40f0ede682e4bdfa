"""How much of a finished song's spectrum its content tells: on packages left out, without those of the test.

python -m experiments.normality.study MUSIC OUT
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.common.normal_tone.calibration import coverage
from experiments.common.normal_tone.loudness_bias import loudness_bias
from experiments.common.normal_tone.measured_songs import Songs, full_band
from experiments.common.normal_tone.prediction import Learned, learn
from experiments.common.normal_tone.regression import (
    gaussian_of,
    r_squared,
    ridge_out_of_package,
    rms_db,
    shapes,
    tilt_only,
)
from experiments.normality.songs import load
from experiments.normality.train import training_songs
from neural_mastering.normality.kernel_ridge import fit_kernel_ridge

Row = dict[str, object]

SEEDS = 8


def predictions(songs: Songs, learned: Learned) -> list[Row]:
    """R² and RMS error of ways to predict."""
    complete = gaussian_of(learned.shape, np.ones(len(songs)))[2]
    ways = {
        "mean of all songs": learned.plain,
        "slope of the kernel ridge alone": tilt_only(learned.predicted, learned.plain),
        "linear ridge": ridge_out_of_package(songs.features, complete, songs.package),
        "kernel ridge": learned.predicted,
    }
    return [
        {
            "way": name,
            "r_squared": round(r_squared(guess, learned.plain, learned.shape), 3),
            "rms_db": round(rms_db(guess, learned.shape), 2),
        }
        for name, guess in ways.items()
    ]


def subsets(songs: Songs) -> list[Row]:
    """The kernel ridge on parts of the songs, each part by itself."""
    parts = {
        "all": np.ones(len(songs), dtype=bool),
        "licence allows weights": songs.is_simple,
        "full band": full_band(songs),
    }
    rows: list[Row] = []
    for name, chosen in parts.items():
        learned = learn(songs.of(chosen))
        statements = learned.calibration.gaussians(learned.predicted, learned.novelty)
        row: Row = {
            "songs": name,
            "count": int(chosen.sum()),
            "packages": len(np.unique(songs.package[chosen])),
            "r_squared": round(r_squared(learned.predicted, learned.plain, learned.shape), 3),
            "rms_db": round(rms_db(learned.predicted, learned.shape), 2),
            "plain_rms_db": round(rms_db(learned.plain, learned.shape), 2),
        }
        covered = coverage(learned.shape - learned.predicted, statements)
        rows.append(row | {k: round(v, 2) for k, v in covered.items()})
    return rows


def learning_curve(songs: Songs, counts: Sequence[int] = (3, 6, 12, 20)) -> list[Row]:
    """R² on packages left out, over the number of packages learned from: mean and deviation over seeds."""
    shape = shapes(songs.levels_db, songs.filled)
    complete = gaussian_of(shape, np.ones(len(songs)))[2]
    packages = np.unique(songs.package)
    rows: list[Row] = []
    for count in counts:
        found, sizes = [], []
        for seed in range(SEEDS):
            order = np.random.default_rng(seed).permutation(packages)
            known, new = np.isin(songs.package, order[:count]), np.isin(songs.package, order[count:])
            model = fit_kernel_ridge(songs.features[known], complete[known], songs.package[known])
            plain = np.tile(model.mean, (int(new.sum()), 1))
            found.append(r_squared(model.predict(songs.features[new]), plain, shape[new]))
            sizes.append(known.sum())
        rows.append(
            {
                "packages": count,
                "songs": round(float(np.mean(sizes))),
                "r_squared": round(float(np.mean(found)), 3),
                "sd": round(float(np.std(found)), 3),
            }
        )
    return rows


def main() -> None:
    """Write OUT/tables/*.csv and print them."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    songs = training_songs(load(arguments.music, arguments.out))
    learned = learn(songs)
    tables = {
        "predictions": predictions(songs, learned),
        "subsets": subsets(songs),
        "learning_curve": learning_curve(songs),
        "loudness_bias": loudness_bias(
            songs.lufs, learned.shape, {"mean": learned.plain, "kernel ridge": learned.predicted}
        ),
    }
    folder = arguments.out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        write_rows(folder / f"{name}.csv", rows)
        sys.stdout.write(f"{name}\n" + "".join(f"  {row}\n" for row in rows))


if __name__ == "__main__":
    main()
