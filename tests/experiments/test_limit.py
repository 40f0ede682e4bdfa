"""The limit for any posterior: songs come back from weights, and the best posterior agrees with closed forms."""

from pathlib import Path

import numpy as np
import pytest

from experiments.common.normal_tone.best_posterior import best_posterior, contrasts, mean_square
from experiments.common.normal_tone.shipped_songs import outputs_of, packages_of
from experiments.mistakes_undone import table_file
from experiments.mistakes_undone.rows import Row, read, write
from experiments.mistakes_undone.run import Setting, Task
from experiments.mistakes_undone.songs import Song
from experiments.normality.limit import engine_curves, engine_posterior, mistakes, scored
from neural_mastering.dsp.mix_errors import error_covariance
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.normality.kernel_ridge import fit_kernel_ridge

BANDS = len(CENTRES_HZ)


def test_songs_come_back_from_a_kernel_ridge() -> None:
    rng = np.random.default_rng(0)
    features, outputs = rng.normal(size=(40, 12)), rng.normal(size=(40, 5)) * 6.0
    package = np.repeat(["a", "b", "c", "d"], 10)
    fitted = fit_kernel_ridge(features, outputs, package)
    assert outputs_of(fitted) == pytest.approx(outputs, abs=1e-9)
    works = ["a"] * 11 + ["b"] * 13 + ["gone"] * 2 + ["c"] * 10 + ["d"] * 12  # some were not learned from
    standardised, hints = fitted.songs[:, :12], fitted.songs[:, 12:]
    assert packages_of(standardised, outputs, hints, fitted, works).tolist() == package.tolist()
    with pytest.raises(ValueError, match="of 40 songs"):
        packages_of(standardised, outputs, hints, fitted, ["a"] * 15 + ["b"] * 25)


def test_with_gaussian_mistakes_the_best_posterior_is_the_linear_one() -> None:
    rng = np.random.default_rng(1)
    prior = error_covariance(2.0)
    covariance = 4.0 * error_covariance(2.0) + 4.0 * np.eye(BANDS)
    draws = rng.multivariate_normal(np.zeros(BANDS), prior, size=40_000)
    gap = rng.multivariate_normal(np.zeros(BANDS), covariance + prior, size=20) + 7.0  # of any level
    directions = contrasts(BANDS)
    inner = directions @ (covariance + prior) @ directions.T
    linear = -gap @ directions.T @ np.linalg.solve(inner, directions @ prior)
    best = best_posterior(gap, covariance, np.ones(20), draws).curves_db
    assert np.sqrt(mean_square(best - linear)).max() < 0.2 * np.sqrt(mean_square(linear)).mean()


def test_a_size_of_the_spread_is_a_covariance_of_that_size() -> None:
    rng = np.random.default_rng(2)
    draws, gap = mistakes(50, "test"), rng.normal(size=(3, BANDS)) * 4.0
    covariance = 9.0 * error_covariance(1.0) + np.eye(BANDS)
    by_size = best_posterior(gap, covariance, np.full(3, 2.5), draws)
    by_scale = best_posterior(gap, covariance, np.ones(3), draws, ((2.5, 1.0),))
    by_covariance = best_posterior(gap, 2.5 * covariance, np.ones(3), draws)
    assert by_size.weights == pytest.approx(by_covariance.weights)
    assert by_scale.weights == pytest.approx(by_covariance.weights)


def test_a_careful_step_bounds_the_probability_of_harm() -> None:
    rng = np.random.default_rng(3)
    draws, gap = mistakes(40, "test"), rng.normal(size=(8, BANDS)) * 5.0
    posterior = best_posterior(gap, 9.0 * error_covariance(1.0) + np.eye(BANDS), np.ones(8), draws)
    before = np.sqrt(mean_square(draws))
    sizes = []
    for most in (0.0, 0.2, 1.0):
        curves = posterior.careful_curves_db(most)
        for curve, weight in zip(curves, posterior.weights, strict=True):
            harmed = np.sqrt(mean_square(draws + curve)) > before + 0.05
            assert weight[harmed].sum() <= most + 1e-12
        sizes.append(mean_square(curves).sum())
    assert sizes[0] < sizes[1] <= sizes[2]
    assert posterior.careful_curves_db(1.0) == pytest.approx(posterior.curves_db)


def test_a_certain_prediction_undoes_everything() -> None:
    errors = mistakes(6, "test")
    assert np.sqrt(mean_square(errors)) == pytest.approx(2.0, abs=1e-6)
    sure = np.tile(1e-3 * np.eye(BANDS), (6, 1, 1))
    removed, worse = scored(errors, engine_curves(errors + 5.0, sure, 2.0))
    assert removed > 0.9 and worse == 0.0
    assert scored(errors, -errors) == (1.0, 0.0)
    assert scored(errors, np.where(np.arange(6) < 3, 1.0, 0.0)[:, None] * errors) == (
        pytest.approx(-1.5),
        0.5,
    )
    assert BROAD.sum() == 25


def test_the_engines_posterior_has_the_engines_mean() -> None:
    rng = np.random.default_rng(4)
    covariance = 16.0 * error_covariance(1.0) + np.eye(BANDS)
    gap, half = rng.normal(size=BANDS) * 4.0, rng.normal(size=(10, BANDS))
    posterior = engine_posterior(gap, covariance, np.concatenate([half, -half]))
    assert posterior.curves_db == pytest.approx(engine_curves(gap[None], covariance[None], 2.0), abs=1e-9)
    assert np.sqrt(mean_square(posterior.draws)).max() > np.sqrt(mean_square(posterior.curves_db)).max()


def test_a_table_is_taken_up_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Task] = []

    def run_all(tasks: list[Task], setting: Setting, processes: int) -> list[list[Row]]:
        asked.extend(tasks)
        return [[Row(t.song.package, t.song.name, "finished", "new", 0.0, 1.0, 1.0)] for t in tasks]

    monkeypatch.setattr(table_file, "run_all", run_all)
    table, songs = tmp_path / "songs.csv", [Song("p", "a", Path()), Song("p", "b", Path())]
    held = [Row("p", "a", "finished", name, 0.0, 2.0, 2.0) for name in ("kept", "again")]
    write(table, held)
    rows = table_file.grown(
        table,
        songs,
        Setting(None, ("kept", "again"), 1.0, 0),
        1,
        ("again",),
        lambda _: frozenset({("x", "y")}),
    )
    assert [task.known for task in asked] == [{("finished", "kept"), ("x", "y")}, {("x", "y")}]
    assert [(row.song, row.system) for row in rows] == [("a", "kept"), ("a", "new"), ("b", "new")]
    assert read(table) == rows
