"""The study of normality: its regressions don't see a song's package, and its scores are what they say."""

import numpy as np
import pytest

from experiments.common.csv_files import read_rows
from experiments.common.normal_tone.calibration import calibrate, mean_square_z, shrunk
from experiments.common.normal_tone.regression import (
    RegressionSettings,
    gaussian_of,
    out_of_package,
    r_squared,
)
from experiments.normality.evaluate import FROZEN
from experiments.normality.kinds import fit_kinds
from experiments.normality.posterior import (
    Score,
    common_errors,
    interval,
    moved_db,
    posterior,
    random_errors,
    score,
)
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.styles.intensity import error_covariance

BANDS = len(CENTRES_HZ)


@pytest.mark.parametrize("errors", [random_errors, common_errors])
def test_errors_have_the_size_that_is_asked_for(errors) -> None:
    curves = errors(20, 2.0, np.random.default_rng(0))[:, BROAD]
    np.testing.assert_allclose(curves.std(axis=1), 2.0)


def test_a_certain_prediction_takes_a_smooth_error_out_and_leaves_the_truth_alone() -> None:
    rng = np.random.default_rng(1)
    truth = rng.standard_normal((6, BANDS)) * 6.0
    known = np.ones((6, BANDS), dtype=bool)
    sure = [Gaussian.of(t + 3.0, 1e-3 * np.eye(BANDS)) for t in truth]  # the common offset says nothing
    follow = posterior(sure, error_covariance(2.0))
    errors = rng.multivariate_normal(np.zeros(BANDS), error_covariance(2.0), size=6)
    found = score(truth, known, errors, np.array(list("aabbcc")), follow)
    assert found.removed > 0.99
    assert found.worse == 0.0
    assert moved_db(truth, known, follow).max() < 0.05


def test_an_uncertain_prediction_does_nothing() -> None:
    vague = [Gaussian.of(np.zeros(BANDS), 1e8 * np.eye(BANDS))]
    follow = posterior(vague, error_covariance(2.0))
    assert np.abs(follow(np.linspace(10.0, -30.0, BANDS), np.ones(BANDS, dtype=bool), 0)).max() < 1e-3


def test_scores_by_hand() -> None:
    found = Score(np.array([4.0, 4.0, 1.0]), np.array([1.0, 0.0, 2.25]), np.array(["a", "a", "b"]))
    assert found.removed == pytest.approx(1.0 - 3.25 / 9.0)
    assert found.worse == pytest.approx(1.0 / 3.0)
    assert found.worst_tenth_db == pytest.approx(0.5)
    low, high = interval(found)
    assert (low, high) == pytest.approx((-1.25, 1.0 - 1.0 / 8.0))  # all songs of b, all of a


def test_what_only_a_package_knows_is_not_predicted() -> None:
    rng = np.random.default_rng(2)
    package = np.repeat([f"p{i}" for i in range(12)], 10)
    own = np.repeat(rng.standard_normal((12, 1)), 10, axis=0)  # the same in all songs of a package
    features = np.concatenate([own, rng.standard_normal((120, 1))], axis=1)
    targets = np.zeros((120, BANDS))
    targets[:, 10] = 5.0 * np.repeat(rng.standard_normal(12), 10)
    predicted, _, plain = out_of_package(features, targets, package, RegressionSettings(ridge=0.01))
    assert r_squared(predicted, plain, targets) < 0.3
    # whereas what the features say about every package is
    targets[:, 10] = 5.0 * features[:, 1]
    predicted, _, plain = out_of_package(features, targets, package, RegressionSettings(ridge=0.01))
    assert r_squared(predicted, plain, targets) > 0.8


def test_gaussian_with_gaps_finds_the_planted_one() -> None:
    rng = np.random.default_rng(3)
    planted = np.array([[4.0, 3.0, 0.0], [3.0, 4.0, 0.0], [0.0, 0.0, 1.0]])
    values = rng.multivariate_normal([1.0, 2.0, 3.0], planted, size=4_000)
    values[values[:, 0] > 1.0, 1] = np.nan  # missing where the first is large: plain means would be wrong
    mean, covariance, completed = gaussian_of(values, np.ones(len(values)), rounds=40)
    np.testing.assert_allclose(mean, [1.0, 2.0, 3.0], atol=0.15)
    np.testing.assert_allclose(covariance, planted, atol=0.35)
    assert np.isfinite(completed).all()


def test_calibration_finds_how_novelty_widens_errors() -> None:
    rng = np.random.default_rng(4)
    package = np.repeat([f"p{i}" for i in range(30)], 20)
    novelty = rng.uniform(0.0, 1.0, 600)
    planted = shrunk(np.eye(BANDS) * 4.0)
    residual = rng.multivariate_normal(np.zeros(BANDS), planted, size=600) * np.sqrt(0.5 + novelty)[:, None]
    found = calibrate(residual, novelty, package, 100.0 * np.eye(BANDS))
    size = found.size(np.array([0.0, 1.0]))
    assert size[1] / size[0] == pytest.approx(3.0, rel=0.15)
    # twice shrunk, so not the planted covariance; but the errors are in proportion under it
    z = mean_square_z(residual / np.sqrt(found.size(novelty))[:, None], found.covariance)
    assert z.mean() == pytest.approx(1.0, abs=0.1)


def test_kinds_are_separated_where_features_do() -> None:
    rng = np.random.default_rng(5)
    kind = np.repeat(["a", "b"], 50)
    package = np.tile(["p", "q"], 50)
    features = rng.standard_normal((100, 3)) + (kind == "b")[:, None] * [3.0, 0.0, 0.0]
    model = fit_kinds(features, kind, package)
    right = model.softmax(features).argmax(axis=1) == (kind == "b")
    assert right.mean() > 0.9
    assert abs(model.weights[0, 0]) > 3.0 * abs(model.weights[0, 1])


def test_frozen_list_holds_songs_of_test_packages_alone() -> None:
    import yaml

    from experiments.common.paths import SOURCES

    rows = read_rows(FROZEN)
    sources = yaml.safe_load(SOURCES.read_text("utf-8"))
    assert {row["package"] for row in rows} <= set(sources["test"])
    assert len({(row["package"], row["song"]) for row in rows}) == len(rows) == 223
