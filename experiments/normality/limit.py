"""How much of mistakes of 2 dB can any system undo that predicts spectra as well as this one?

    python -m experiments.normality.limit OUT [--picture FILE]

Needs no music: the songs are those behind the shipped weights (`shipped_songs`), each predicted by fits that don't
know its package. Writes OUT/tables/limit.csv (by how well spectra are predicted), tradeoff.csv (energy removed
against songs made worse), packages.csv and the picture. A minute of one core.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.common.mistakes import Condition, curve_db, draw
from experiments.common.normal_tone.best_posterior import SCALES, BestPosterior, best_posterior, mean_square
from experiments.common.normal_tone.calibration import shrunk
from experiments.common.normal_tone.measured_songs import Songs
from experiments.common.normal_tone.prediction import Learned, learn
from experiments.common.normal_tone.regression import gaussian_of, rms_db
from experiments.common.normal_tone.shipped_songs import shipped_songs
from experiments.common.scores import removed_interval
from experiments.normality.posterior import WORSE_DB
from neural_mastering.dsp.gaussian import Gaussian, updated
from neural_mastering.dsp.mix_errors import error_covariance
from neural_mastering.dsp.scale_mixture import observed_covariance
from neural_mastering.normality import load_normal_tone
from neural_mastering.styles.move import OFFSET_DB

Float64s = NDArray[np.float64]
Row = dict[str, object]

MISTAKE = Condition("random", 2.0)
FAMILY, DRAWS = 5_000, 2
"""Mistakes that the best posterior knows (each counts with both signs); mistakes of each song that are scored."""

FACTORS = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
INTENSITIES_DB = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0)
STEPS = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
CAREFUL = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
BALANCED_DB = 2.0
BARS = 0.13, 0.28
RENDERED = 0.106, 0.30
"""Aims at 2 dB, and the rendered test (experiments/mistakes_undone): energy removed, songs made worse."""


def mistakes(count: int, name: str) -> Float64s:
    """(count, third) curves of 2 dB of the family of experiments/mistakes_undone; no draw of the test."""
    return np.stack([curve_db(draw(MISTAKE, name, i)) for i in range(count)])


def scored(errors_db: Float64s, curves_db: Float64s) -> tuple[float, float]:
    """Energy removed, and songs made worse."""
    before, after = mean_square(errors_db), mean_square(errors_db + curves_db)
    worse = np.sqrt(after) > np.sqrt(before) + WORSE_DB
    return 1.0 - float(after.sum() / before.sum()), float(worse.mean())


def engine_curves(
    gap_db: Float64s, covariances: Float64s, intensity_db: float, tails: bool = True
) -> Float64s:
    """(song, third) curves of `styles.move` for songs that measure x = μ + gap; without tails the Gaussian ones."""
    prior = error_covariance(intensity_db)
    curves = np.zeros_like(gap_db)
    for song, (gap, covariance) in enumerate(zip(-gap_db, covariances, strict=True)):
        spread = observed_covariance(gap, covariance, prior, OFFSET_DB) if tails else covariance
        curves[song] = prior @ np.linalg.solve(spread + prior + OFFSET_DB**2, gap)
    return curves


def engine_posterior(gap_db: Float64s, covariance: Float64s, noise: Float64s) -> BestPosterior:
    """The engine's own posterior of one song's mistake by draws, which need no family of mistakes.

    Args:
        gap_db: (third,) x − μ.
        covariance: (third, third) of the prediction.
        noise: (draw, third) standard normal numbers, each with both signs.
    """
    prior = error_covariance(BALANCED_DB)
    spread = observed_covariance(-gap_db, covariance, prior, OFFSET_DB)
    gain = np.linalg.solve(spread + prior + OFFSET_DB**2, prior).T
    values, vectors = np.linalg.eigh(prior - gain @ prior)
    draws = gain @ gap_db + noise @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    return BestPosterior(draws, np.full((1, len(noise)), 1.0 / len(noise)))


def limit_rows(learned: Learned, family: Float64s, errors: Float64s) -> list[Row]:
    """The best posterior and the engine's, Gaussian one, in a world where the calibrated prediction is exact."""
    rng = np.random.default_rng(1)
    covariance = learned.calibration.covariance
    sizes = np.tile(learned.calibration.size(learned.novelty), DRAWS)
    unit = rng.standard_normal((len(errors), len(covariance))) @ np.linalg.cholesky(covariance).T
    rows: list[Row] = []
    for factor in FACTORS:
        size = factor**2 * sizes
        songs = np.sqrt(size)[:, None] * unit
        best = best_posterior(songs + errors, covariance, size, family)
        ours = engine_curves(songs + errors, size[:, None, None] * covariance, BALANCED_DB, tails=False)
        rows.append(
            {"prediction_rms_db": round(float(np.sqrt(mean_square(songs).mean())), 2)}
            | _cells("best", scored(errors, best.curves_db))
            | _cells("gaussian", scored(errors, ours))
        )
    return rows


def tradeoff_rows(songs: Songs, learned: Learned, family: Float64s, errors: Float64s) -> Iterator[Row]:
    """Energy removed against songs made worse, of real songs whose package the prediction does not know."""
    index = np.tile(np.arange(len(songs)), DRAWS)
    gap = (learned.shape - learned.predicted)[index] + errors
    sizes = learned.calibration.size(learned.novelty)[index]
    covariances = sizes[:, None, None] * learned.calibration.covariance

    def row(way: str, setting: object, curves: Float64s) -> Row:
        return {"way": way, "setting": setting} | _cells("", scored(errors, curves))

    shipped = engine_curves(gap, covariances, BALANCED_DB)
    for step in STEPS:
        yield row("step", step, step * shipped)
    for intensity_db in INTENSITIES_DB:
        yield row("intensity", intensity_db, engine_curves(gap, covariances, intensity_db))
    yield row("kinds of the pool", "", kinds_curves(songs, learned, index, errors))
    best = best_posterior(gap, learned.calibration.covariance, sizes, family)
    yield row("best, Gaussian", "", best.curves_db)
    best = best_posterior(gap, learned.calibration.covariance, sizes, family, SCALES)
    yield row("best, heavy tails", "", best.curves_db)
    for most in CAREFUL:
        yield row("careful step, family known", most, best.careful_curves_db(most))
    half = np.random.default_rng(0).standard_normal((128, gap.shape[1]))
    own = [
        engine_posterior(*each, np.concatenate([half, -half])) for each in zip(gap, covariances, strict=True)
    ]
    for most in CAREFUL:
        curves = np.concatenate([each.careful_curves_db(most) for each in own])
        yield row("careful step, own posterior", most, curves)


def package_rows(songs: Songs, learned: Learned, errors: Float64s) -> Iterator[Row]:
    """What the engine as shipped removes from the songs of each package, and from all with an interval."""
    index = np.tile(np.arange(len(songs)), DRAWS)
    gap = (learned.shape - learned.predicted)[index] + errors
    sizes = learned.calibration.size(learned.novelty)[index]
    curves = engine_curves(gap, sizes[:, None, None] * learned.calibration.covariance, BALANCED_DB)
    package = songs.package[index]
    for each in np.unique(package):
        own = package == each
        yield {"package": each, "songs": int(own.sum()) // DRAWS} | _cells(
            "", scored(errors[own], curves[own])
        )
    before, after = (np.sqrt(mean_square(curve)) for curve in (errors, errors + curves))
    low, high = removed_interval(before, after, package.tolist())
    yield {"package": f"all, {low:.3f} to {high:.3f}", "songs": len(songs)} | _cells(
        "", scored(errors, curves)
    )


def kinds_curves(songs: Songs, learned: Learned, index: NDArray[np.int_], errors: Float64s) -> Float64s:
    """A mixture over the pool's own kinds: mean and covariance of other packages' songs, weighted by their kinds.

    Each kind is sharpened by content as a named style is; "unsure" is the prediction alone. The classifier knows
    these songs, so the mixture is judged too well.
    """
    tone = load_normal_tone()
    assert tone.kind_model is not None
    standardised = tone.regression.standardised(songs.features)
    found = [tone.kind_model.probabilities(row) for row in standardised]
    sizes = learned.calibration.size(learned.novelty)
    predictions = learned.calibration.gaussians(learned.predicted, learned.novelty)
    spectra = learned.shape[index] + errors
    total = np.array([each["unsure"] for each in found])[index, None] * engine_curves(
        spectra - learned.predicted[index],
        (sizes[:, None, None] * learned.calibration.covariance)[index],
        BALANCED_DB,
    )
    for kind in tone.kind_model.names:
        share = np.array([each[kind] for each in found])
        of_kind: list[Gaussian] = [learned.general] * len(songs)
        for package in np.unique(songs.package):
            own = songs.package == package
            mean, covariance, _ = gaussian_of(learned.shape, np.where(own, 0.0, share))
            style = Gaussian.of(mean, shrunk(covariance))
            for song in np.flatnonzero(own):
                of_kind[song] = updated(style, predictions[song], learned.general, OFFSET_DB)
        means = np.stack([each.mean for each in of_kind])
        covariances = np.stack([each.covariance for each in of_kind])
        total = total + share[index, None] * engine_curves(
            spectra - means[index], covariances[index], BALANCED_DB
        )
    return total


def draw_picture(to: Path, limit: list[Row], tradeoff: list[Row], rms: float) -> None:
    """Left: what is removed by how well spectra are predicted. Right: what each way pays in songs made worse."""
    import matplotlib  # only where it is drawn

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12.0, 4.0), layout="constrained")
    at = _column(limit, "prediction_rms_db")
    left.plot(at, _column(limit, "best removed"), color="C0", label="removed, best posterior")
    left.plot(at, _column(limit, "gaussian removed"), "--", color="C0", label="removed, Gaussian posterior")
    left.plot(at, _column(limit, "best worse"), color="C3", label="made worse, best posterior")
    left.plot(at, _column(limit, "gaussian worse"), "--", color="C3", label="made worse, Gaussian posterior")
    shipped = next(row for row in tradeoff if row["way"] == "step" and row["setting"] == 1.0)
    for name, colour, bar in zip(("removed", "worse"), ("C0", "C3"), BARS, strict=True):
        left.plot(rms, float(str(shipped[name])), "o", color=colour)
        left.axhline(bar, color=colour, linewidth=0.8, linestyle=":")
    left.axvline(rms, color="0.7", linewidth=0.8)
    left.set(xlabel="error of the prediction, dB RMS", ylabel="share", ylim=(0.0, 0.85), xlim=(1.0, None))
    left.set_title("Mistakes of 2 dB, if the prediction's covariance is true", fontsize=10)
    left.legend(fontsize=8)
    for way, marker in (
        ("step", "o-"),
        ("intensity", "s-"),
        ("careful step, family known", "^-"),
        ("careful step, own posterior", "v-"),
    ):
        rows = [row for row in tradeoff if row["way"] == way]
        right.plot(_column(rows, "worse"), _column(rows, "removed"), marker, markersize=4, label=way)
    for row in tradeoff:
        if row["setting"] == "":
            right.plot(float(str(row["worse"])), float(str(row["removed"])), "D", label=row["way"])
    right.plot(RENDERED[1], RENDERED[0], "k*", markersize=11, label="rendered test")
    right.axhline(BARS[0], color="0.5", linewidth=0.8, linestyle=":")
    right.axvline(BARS[1], color="0.5", linewidth=0.8, linestyle=":")
    right.set(xlabel="songs made worse", ylabel="energy removed", xlim=(0.0, 0.34), ylim=(0.0, 0.3))
    right.set_title("Training songs, their packages unknown", fontsize=10)
    right.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(to, dpi=110, metadata={"Software": None})


def _column(rows: list[Row], name: str) -> list[float]:
    return [float(str(row[name])) for row in rows]


def _cells(name: str, score: tuple[float, float]) -> Row:
    return {
        f"{name} {key}".strip(): round(value, 3)
        for key, value in zip(("removed", "worse"), score, strict=True)
    }


def main() -> None:
    """Write the tables and the picture, and print them."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--picture", type=Path, default=Path(__file__).with_name("limit.png"))
    arguments = parser.parse_args()
    songs = shipped_songs()
    learned = learn(songs)
    known = mistakes(FAMILY, "limit")
    family = np.concatenate([known, -known])  # a band of −g dB is the inverse of one of g dB
    errors = mistakes(DRAWS * len(songs), "scored")
    limit, tradeoff = limit_rows(learned, family, errors), list(tradeoff_rows(songs, learned, family, errors))
    folder = arguments.out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    packages = list(package_rows(songs, learned, errors))
    for name, rows in (("limit", limit), ("tradeoff", tradeoff), ("packages", packages)):
        write_rows(folder / f"{name}.csv", rows)
        sys.stdout.write(f"{name}\n" + "".join(f"  {row}\n" for row in rows))
    draw_picture(arguments.picture, limit, tradeoff, rms_db(learned.predicted, learned.shape))


if __name__ == "__main__":
    main()
