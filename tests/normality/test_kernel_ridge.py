"""Kernel ridge regression against its closed form, a planted function and its Gaussian process."""

import numpy as np
import pytest

from neural_mastering.normality.kernel_ridge import fit_kernel_ridge, gaussian_kernel


def test_kernel_is_the_gaussian_of_distances() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((4, 3)), rng.standard_normal((5, 3))
    expected = [[np.exp(-np.sum((a - b) ** 2) / (2 * 1.5**2 * 3)) for b in other] for a in one]
    np.testing.assert_allclose(gaussian_kernel(one, other, 1.5), expected)


def test_planted_function_is_recovered_on_points_it_has_not_seen() -> None:
    rng = np.random.default_rng(1)
    features = rng.uniform(-1.0, 1.0, (400, 2)) * [1.0, 100.0] + [0.0, 500.0]

    def truth(x: np.ndarray) -> np.ndarray:
        return np.stack([np.sin(2.0 * x[:, 0]), (x[:, 1] - 500.0) ** 2 / 1e4], axis=1)

    model = fit_kernel_ridge(features[:300], truth(features[:300]), np.ones(300), width=1.0, ridge=1e-4)
    np.testing.assert_allclose(model.predict(features[300:]), truth(features[300:]), atol=0.02)


def test_large_ridge_leaves_the_weighted_mean() -> None:
    rng = np.random.default_rng(2)
    features, outputs, importance = (
        rng.standard_normal((20, 3)),
        rng.standard_normal((20, 2)),
        rng.uniform(0.5, 2, 20),
    )
    model = fit_kernel_ridge(features, outputs, importance, width=1.0, ridge=1e9)
    np.testing.assert_allclose(
        model.predict(features[:1])[0], np.average(outputs, axis=0, weights=importance), atol=1e-6
    )


def test_novelty_is_the_process_variance_and_grows_away_from_known_songs() -> None:
    rng = np.random.default_rng(3)
    features = rng.standard_normal((60, 4))
    model = fit_kernel_ridge(features, features[:, :1], np.ones(60), width=0.8, ridge=0.1)
    known, far = model.novelty(features[:1])[0], model.novelty(np.full((1, 4), 50.0))[0]
    assert 0.0 < known < 0.1 < 0.9 < far <= 1.0
    # the joint Gaussian of known songs and a new one, conditioned by hand
    z = model.standardised(np.concatenate([features, [[0.5, -0.2, 0.1, 1.0]]]))
    joint = gaussian_kernel(z, z, 0.8)
    conditional = joint[60, 60] - joint[60, :60] @ np.linalg.solve(
        joint[:60, :60] + 0.1 * np.eye(60), joint[:60, 60]
    )
    assert model.novelty(np.array([[0.5, -0.2, 0.1, 1.0]]))[0] == pytest.approx(conditional)


def test_features_far_outside_are_clipped() -> None:
    rng = np.random.default_rng(4)
    features = rng.standard_normal((50, 2))
    model = fit_kernel_ridge(features, features[:, :1], np.ones(50), width=1.0, ridge=0.1)
    np.testing.assert_array_equal(
        model.predict(np.array([[1e3, 0.0]])), model.predict(np.array([[1e6, 0.0]]))
    )
