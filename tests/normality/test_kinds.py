"""Kinds of music: probabilities from scores."""

import numpy as np
import pytest

from neural_mastering.normality.kinds import KindModel


def test_softmax_is_that_of_the_scores() -> None:
    model = KindModel(("a", "b", "c"), np.eye(3), np.array([0.0, 1.0, 0.0]))
    scores = np.exp([2.0, 1.0, -1.0])
    np.testing.assert_allclose(model.softmax(np.array([2.0, 0.0, -1.0])), scores / scores.sum())


@pytest.mark.parametrize("score", [0.0, 1.0, 3.0, 800.0])
def test_unsure_falls_as_one_kind_stands_out(score: float) -> None:
    model = KindModel(("a", "b", "c"), np.eye(3), np.zeros(3))
    found = model.probabilities(np.array([score, 0.0, 0.0]))
    p = np.exp([score - score, -score, -score])
    p /= p.sum()
    entropy = -np.sum(p * np.log(np.maximum(p, 1e-300)))
    assert found["unsure"] == pytest.approx((entropy / np.log(3.0)) ** 2, abs=1e-9)
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["a"] >= found["b"] - 1e-12
