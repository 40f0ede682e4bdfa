"""Two pictures: the learning curve, and how often bands lie within so many sigma.

    python -m experiments.normality.plots MUSIC OUT [--to FILE] [--learn-from weights]

Needs OUT/tables/learning_curve.csv, which `study` writes; with `--learn-from weights` only the measured songs of
the test: all else is about the songs behind the shipped weights.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows
from experiments.common.normal_tone.prediction import learn
from experiments.common.normal_tone.regression import shapes
from experiments.common.normal_tone.shipped_songs import shipped_predictions, shipped_songs
from experiments.normality.evaluate import test_songs
from experiments.normality.songs import load
from experiments.normality.study import learning_curve
from experiments.normality.train import training_songs
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import BROAD

matplotlib.use("Agg")
SIGMAS = np.linspace(0.0, 3.0, 31)


def within(shape: NDArray[np.float64], statements: list[Gaussian]) -> list[float]:
    """Share of known bands of broad tone within each of SIGMAS."""
    mean, sigma = (np.stack([getattr(s, name) for s in statements]) for name in ("mean", "sigma"))
    z = np.abs((shape - mean) / sigma)[:, BROAD]
    z = z[np.isfinite(z)]
    return [float((z <= limit).mean()) for limit in SIGMAS]


def main() -> None:
    """Draw."""
    from matplotlib import pyplot as plt  # after the backend is chosen

    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--to", type=Path, default=Path(__file__).with_name("normality.png"))
    parser.add_argument("--learn-from", choices=("music", "weights"), default="music")
    arguments = parser.parse_args()
    songs = load(arguments.music, arguments.out)
    test, of_weights = test_songs(songs), arguments.learn_from == "weights"
    learned = learn(shipped_songs() if of_weights else training_songs(songs))
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.6), layout="constrained")
    rows: list[Any] = (
        learning_curve(shipped_songs(), (2, 4, 6, 8, 10))
        if of_weights
        else read_rows(arguments.out / "tables" / "learning_curve.csv")
    )
    packages, found, deviation = (
        [float(row[key]) for row in rows] for key in ("packages", "r_squared", "sd")
    )
    left.errorbar(packages, found, deviation, marker="o", capsize=3)
    left.set(xlabel="packages learned from", ylabel="R² on the other packages", ylim=(0.0, 0.5))
    own = learned.calibration.gaussians(learned.predicted, learned.novelty)
    right.plot(SIGMAS, [math.erf(s / math.sqrt(2.0)) for s in SIGMAS], "k--", label="Gaussian")
    right.plot(SIGMAS, within(learned.shape, own), label="training packages, left out")
    told = shipped_predictions(test) if of_weights else learned.of(test.features)
    right.plot(SIGMAS, within(shapes(test.levels_db, test.filled), told), label="test")
    right.set(xlabel="sigma", ylabel="share of bands within", xlim=(0.0, 3.0), ylim=(0.0, 1.0))
    right.legend()
    figure.savefig(arguments.to, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
