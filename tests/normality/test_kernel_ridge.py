"""Kernel ridge regression against its closed form, a planted function and its Gaussian process."""

import numpy as np
import pytest

from neural_mastering.normality.kernel_ridge import RegressionSettings, fit_kernel_ridge, gaussian_kernel
from neural_mastering.normality.linear_ridge import fit_linear_ridge


def groups(count: int) -> np.ndarray:
    """Four groups in turn."""
    return np.array([str(i % 4) for i in range(count)])


def test_kernel_is_the_gaussian_of_distances() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((4, 3)), rng.standard_normal((5, 3))
    expected = [[np.exp(-np.sum((a - b) ** 2) / (2 * 1.5**2 * 3)) for b in other] for a in one]
    np.testing.assert_allclose(gaussian_kernel(one, other, 1.5, 3), expected)


def test_planted_function_is_recovered_on_points_it_has_not_seen() -> None:
    rng = np.random.default_rng(1)
    features = rng.uniform(-1.0, 1.0, (400, 2)) * [1.0, 100.0] + [0.0, 500.0]

    def truth(x: np.ndarray) -> np.ndarray:
        return np.stack([np.sin(2.0 * x[:, 0]), (x[:, 1] - 500.0) ** 2 / 1e4], axis=1)

    model = fit_kernel_ridge(
        features[:300], truth(features[:300]), groups(300), RegressionSettings(width=1.0, ridge=1e-4)
    )
    np.testing.assert_allclose(model.predict(features[300:]), truth(features[300:]), atol=0.05)


def test_large_ridge_leaves_the_mean() -> None:
    rng = np.random.default_rng(2)
    features, outputs = rng.standard_normal((20, 3)), rng.standard_normal((20, 2))
    model = fit_kernel_ridge(features, outputs, groups(20), RegressionSettings(ridge=1e9))
    np.testing.assert_allclose(model.predict(features[:1])[0], outputs.mean(axis=0), atol=1e-6)


def test_hints_lead_to_songs_whose_outputs_are_alike() -> None:
    rng = np.random.default_rng(5)
    features = rng.standard_normal((160, 40))
    outputs = features[:, :1] * 3.0  # one of forty features tells all
    known, new = slice(None, 120), slice(120, None)

    def error(hint_size: float) -> float:
        settings = RegressionSettings(hint_size=hint_size, linear_ridge=20.0)
        model = fit_kernel_ridge(features[known], outputs[known], groups(120), settings)
        return float(np.mean((model.predict(features[new]) - outputs[new]) ** 2))

    assert error(1.0) < 0.6 * error(0.0)


def test_hint_of_a_known_song_is_that_of_the_other_groups() -> None:
    rng = np.random.default_rng(6)
    features, outputs = rng.standard_normal((40, 3)), rng.standard_normal((40, 2))
    model = fit_kernel_ridge(features, outputs, groups(40), RegressionSettings(linear_ridge=2.0))
    own = model.standardised(features)
    others = groups(40) != "0"
    guess = fit_linear_ridge(own[others], outputs[others], 2.0).predict(own[:1])
    whole = model.hint.predict(own)
    # both are the same up to one factor and one constant
    factor = np.std(whole, axis=0) / np.std(fit_linear_ridge(own, outputs, 2.0).predict(own), axis=0)
    np.testing.assert_allclose(factor[0], factor[1])
    middle = (model.hint.mean - factor * outputs.mean(axis=0))[None]
    np.testing.assert_allclose(model.songs[:1, 3:], factor * guess + middle, atol=1e-9)


def test_novelty_is_the_process_variance_and_grows_away_from_known_songs() -> None:
    rng = np.random.default_rng(3)
    features = rng.standard_normal((60, 4))
    model = fit_kernel_ridge(
        features, features[:, :1], groups(60), RegressionSettings(width=0.8, ridge=0.1, hint_size=0.0)
    )
    known, far = model.novelty(features[:1])[0], model.novelty(np.full((1, 4), 50.0))[0]
    assert 0.0 < known < 0.1 < 0.9 < far <= 1.0
    # the joint Gaussian of known songs and a new one, conditioned by hand
    z = model.standardised(np.concatenate([features, [[0.5, -0.2, 0.1, 1.0]]]))
    joint = gaussian_kernel(z, z, 0.8, 4)
    conditional = joint[60, 60] - joint[60, :60] @ np.linalg.solve(
        joint[:60, :60] + 0.1 * np.eye(60), joint[:60, 60]
    )
    assert model.novelty(np.array([[0.5, -0.2, 0.1, 1.0]]))[0] == pytest.approx(conditional)


def test_features_far_outside_are_clipped() -> None:
    rng = np.random.default_rng(4)
    features = rng.standard_normal((50, 2))
    model = fit_kernel_ridge(features, features[:, :1], groups(50))
    np.testing.assert_array_equal(
        model.predict(np.array([[1e3, 0.0]])), model.predict(np.array([[1e6, 0.0]]))
    )
