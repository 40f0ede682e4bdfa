"""The test, once: errors taken out of the songs of test_songs.csv by their spectra.

    python -m experiments.normality.evaluate MUSIC OUT [--on training] [--learn-from weights]

With `--on training`, the same tables for the training songs, each package predicted by the others. With
`--learn-from weights`, plain and corridor know the songs behind the shipped weights, so that only the songs of the
test have to be measured.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.normal_tone.measured_songs import Songs, full_band
from experiments.common.normal_tone.posterior_curve import Follow, scale_mixture
from experiments.common.normal_tone.prediction import learn
from experiments.common.normal_tone.regression import r_squared, shapes
from experiments.common.normal_tone.shipped_songs import shipped_predictions, shipped_songs
from experiments.normality.posterior import (
    Score,
    common_errors,
    corridor,
    interval,
    moved_db,
    opposite_errors,
    random_errors,
    score,
    sharper_errors,
)
from experiments.normality.songs import load
from experiments.normality.train import training_songs
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.normality import load_normal_tone
from neural_mastering.styles.intensity import error_covariance

FROZEN = Path(__file__).with_name("test_songs.csv")
DRAWS = 3
Row = dict[str, object]


@dataclass(frozen=True)
class Case:
    """A kind and a size of error, and the intensity with which it is met."""

    name: str
    errors: Callable[[int, float, np.random.Generator], NDArray[np.float64]]
    rms_db: float
    intensity_db: float


CASES = (
    Case("random 1 dB, gentle", random_errors, 1.0, 1.0),
    Case("random 2 dB, balanced", random_errors, 2.0, 2.0),
    Case("random 4 dB, strong", random_errors, 4.0, 3.5),
    Case("random 4 dB, balanced", random_errors, 4.0, 2.0),
    Case("dull or boomy 1.6 dB, balanced", common_errors, 1.6, 2.0),
    Case("dull or boomy 3.2 dB, strong", common_errors, 3.2, 3.5),
    Case("bright or thin 1.6 dB, balanced", opposite_errors, 1.6, 2.0),
    Case("bright or thin 3.2 dB, strong", opposite_errors, 3.2, 3.5),
    Case("sharper 2 dB, balanced", sharper_errors, 2.0, 2.0),
)

Ways = dict[str, list[Gaussian]]


def test_songs(songs: Songs) -> Songs:
    """Those of the frozen list that could be fetched."""
    frozen = {(row["package"], row["song"]) for row in read_rows(FROZEN)}
    return songs.of(
        np.array([(str(p), str(n)) in frozen for p, n in zip(songs.package, songs.name, strict=True)])
    )


def repeated(songs: Songs) -> Songs:
    """The songs as often as errors are drawn for each."""
    return songs.of(np.tile(np.arange(len(songs)), DRAWS))


def tables(songs: Songs, ways: Ways, corridor_of: NDArray[np.float64]) -> tuple[list[Row], list[Row]]:
    """What is left of errors, and how far finished songs are moved."""
    many = repeated(songs)
    rows: list[Row] = []
    for index, case in enumerate(CASES):
        errors = case.errors(len(many), case.rms_db, np.random.default_rng(index))
        prior = error_covariance(case.intensity_db)
        follows: dict[str, Follow] = {"corridor": corridor(corridor_of)}
        follows |= {name: scale_mixture(statements * DRAWS, prior) for name, statements in ways.items()}
        scores = {
            name: score(many.levels_db, many.filled, errors, many.package, follow)
            for name, follow in follows.items()
        }
        rows += [_row(case, name, found, scores["plain posterior"]) for name, found in scores.items()]
    moves: list[Row] = []
    for name, statements in ways.items():
        for intensity_db in (1.0, 2.0, 3.5):
            moved = moved_db(
                songs.levels_db, songs.filled, scale_mixture(statements, error_covariance(intensity_db))
            )
            moves.append(
                {
                    "way": name,
                    "intensity_db": intensity_db,
                    "moved_rms_db": round(float(np.sqrt(np.mean(moved**2))), 2),
                    "nine_in_ten_below_db": round(float(np.quantile(moved, 0.9)), 2),
                }
            )
    return rows, moves


def _row(case: Case, name: str, found: Score, plain: Score) -> Row:
    low, high = interval(found)
    lead_low, lead_high = interval(found, plain)
    return {
        "case": case.name,
        "way": name,
        "removed": round(found.removed, 3),
        "low": round(low, 3),
        "high": round(high, 3),
        "lead_low": round(lead_low, 3),
        "lead_high": round(lead_high, 3),
        "worse": round(found.worse, 3),
        "worst_tenth_db": round(found.worst_tenth_db, 2),
    }


def ways_for(training: Songs, songs: Songs, is_training: bool) -> tuple[Ways, dict[str, float]]:
    """Statements about songs from all training songs, and from those whose licence allows weights; R² of each."""
    ways: Ways = {}
    r2 = {}
    shape = shapes(songs.levels_db, songs.filled)
    for suffix, chosen in (
        ("", np.ones(len(training), dtype=bool)),
        (", weights shipped", training.is_simple),
    ):
        if is_training and suffix:
            continue
        part = training.of(chosen)
        learned = learn(part)
        if is_training:
            predicted = learned.predicted
            statements = learned.calibration.gaussians(predicted, learned.novelty)
        else:
            predicted = learned.regression.predict(songs.features)
            statements = learned.of(songs.features)
        if not suffix:
            ways["plain posterior"] = [learned.general] * len(songs)
        ways[f"learned posterior{suffix}"] = statements
        r2[f"learned{suffix}"] = r_squared(predicted, np.tile(learned.general.mean, (len(songs), 1)), shape)
    return ways, r2


def shipped_ways(songs: Songs) -> tuple[Ways, dict[str, float]]:
    """The shipped weights and the mean and covariance of the songs that they know; R² of the prediction."""
    tone = load_normal_tone()
    predictions = shipped_predictions(songs, tone)
    means = np.stack([each.mean for each in predictions])
    plain = np.tile(tone.general.mean, (len(songs), 1))
    shape = shapes(songs.levels_db, songs.filled)
    ways = {"plain posterior": [tone.general] * len(songs), "learned posterior, weights shipped": predictions}
    return ways, {"learned, weights shipped": r_squared(means, plain, shape)}


def main() -> None:
    """Write OUT/tables/test*.csv and print them."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--on", choices=("test", "training"), default="test")
    parser.add_argument("--learn-from", choices=("music", "weights"), default="music")
    arguments = parser.parse_args()
    everything = load(arguments.music, arguments.out)
    if arguments.learn_from == "weights":
        if arguments.on == "training":
            parser.error(
                "--learn-from weights is about songs that the weights don't know: leave out --on training"
            )
        training, songs = shipped_songs(), test_songs(everything)
        ways, r2 = shipped_ways(songs)
    else:
        training = training_songs(everything)
        songs = test_songs(everything) if arguments.on == "test" else training
        ways, r2 = ways_for(training, songs, arguments.on == "training")
    corridor_of = shapes(training.levels_db, training.filled)
    folder = arguments.out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{len(songs)} songs of {len(np.unique(songs.package))} packages; R² {r2}\n")
    full = full_band(songs)
    for name, chosen in (("", np.ones(len(songs), dtype=bool)), ("_full_band", full)):
        picked = np.flatnonzero(chosen)
        part = {way: [statements[i] for i in picked] for way, statements in ways.items()}
        rows, moves = tables(songs.of(picked), part, corridor_of)
        write_rows(folder / f"{arguments.on}{name}.csv", rows)
        write_rows(folder / f"{arguments.on}{name}_moved.csv", moves)
        sys.stdout.write(f"{arguments.on}{name}: {len(picked)} songs\n")
        sys.stdout.write("".join(f"  {row}\n" for row in rows + moves))


if __name__ == "__main__":
    main()
