"""Linear ridge regression against its closed form, and groups that are kept apart."""

import numpy as np

from neural_mastering.normality.linear_ridge import fit_linear_ridge, predict_each_group


def test_it_is_least_squares_on_rows_that_state_the_penalty() -> None:
    rng = np.random.default_rng(0)
    features, outputs = rng.standard_normal((30, 4)), rng.standard_normal((30, 2))
    model = fit_linear_ridge(features, outputs, 5.0)
    rows = np.concatenate([features, np.sqrt(5.0) * np.eye(4)])
    wanted = np.concatenate([outputs - outputs.mean(axis=0), np.zeros((4, 2))])
    expected, *_ = np.linalg.lstsq(rows, wanted, rcond=None)
    np.testing.assert_allclose(model.predict(features), outputs.mean(axis=0) + features @ expected)


def test_a_group_is_predicted_without_its_own_songs() -> None:
    rng = np.random.default_rng(1)
    features, outputs = rng.standard_normal((30, 4)), rng.standard_normal((30, 2))
    groups = np.repeat(["one", "two", "three"], 10)
    before = predict_each_group(features, outputs, groups, 5.0)
    changed = outputs.copy()
    changed[:10] += 100.0
    after = predict_each_group(features, changed, groups, 5.0)
    np.testing.assert_array_equal(before[:10], after[:10])
    assert np.abs(before[10:] - after[10:]).min() > 1.0
    np.testing.assert_allclose(
        before[:10], fit_linear_ridge(features[10:], outputs[10:], 5.0).predict(features[:10])
    )


def test_one_group_alone_gets_the_mean() -> None:
    outputs = np.random.default_rng(2).standard_normal((6, 2))
    found = predict_each_group(np.ones((6, 3)), outputs, np.repeat("one", 6), 1.0)
    np.testing.assert_allclose(found, np.tile(outputs.mean(axis=0), (6, 1)))
