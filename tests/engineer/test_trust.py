"""Groups held out in closed form against fits that did not see them, and what follows for wrong traits."""

import numpy as np

from neural_mastering.engineer.evidence import NOISE_SHARES, Mixture, MixtureEvidence
from neural_mastering.engineer.score import Predicted, ScoreModel, between, mean_only, predict_score
from neural_mastering.engineer.trust import held_out, trust_in


def _model(seed: int, songs: int = 9) -> tuple[ScoreModel, np.ndarray]:
    """Two mixtures with weights by their evidence to the power 0.3."""
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((songs, 2))
    kernels = np.einsum("it,jt->tij", inputs, inputs)
    values = inputs[:, 0] + 0.4 * rng.standard_normal(songs)
    return _weighted(values, kernels, 0.3), kernels


def _weighted(values: np.ndarray, kernels: np.ndarray, power: float) -> ScoreModel:
    mixtures, noise = (Mixture((0,), (1.0,)), Mixture((1,), (1.0,))), NOISE_SHARES[[1, 3]]
    logs = MixtureEvidence(values, kernels, 2).of(mixtures)[[0, 1], [1, 3]]
    weight = np.exp(power * (logs - logs.max()))
    return ScoreModel(mixtures, noise, weight / weight.sum(), values, np.ones(2))


def test_a_group_held_out_in_closed_form_is_predicted_as_by_a_fit_without_it() -> None:
    model, kernels = _model(0)
    groups = np.array(["a", "a", "b", "c", "c", "c", "d", "e", "e"])
    predicted, actual = held_out(model, kernels, groups, 0.3)
    for name in "abcde":
        inside, outside = np.flatnonzero(groups == name), np.flatnonzero(groups != name)
        known = kernels[:, outside[:, None], outside]
        alone = _weighted(model.values[outside], known, 0.3)
        for i in inside:
            found = predict_score(alone, known, kernels[:, outside, i], kernels[:, i, i])
            mean = model.values[outside].mean()
            assert abs(predicted[i] - (found.mean - mean)) < 1e-9
            assert abs(actual[i] - (model.values[i] - mean)) < 1e-12


def test_a_right_trait_is_trusted_and_a_wrong_one_is_not() -> None:
    rng = np.random.default_rng(1)
    right, wrong = [], []
    for _ in range(20):
        inputs = rng.standard_normal(24)
        groups = [str(i // 2) for i in range(24)]
        kernels = np.outer(inputs, inputs)[None]
        for values, found in ((inputs, right), (0.0 * inputs, wrong)):
            noisy = values + 0.3 * rng.standard_normal(24)
            sure = ScoreModel((Mixture((0,), (1.0,)),), np.array([0.1]), np.ones(1), noisy, np.ones(1))
            found.append(trust_in(sure, kernels, groups))
    assert min(right) > 0.85
    assert np.mean(wrong) < 0.2


def test_half_a_trust_is_half_of_the_way_with_the_spread_of_both() -> None:
    rng = np.random.default_rng(2)
    values = 3.0 + rng.standard_normal(12)
    found = Predicted(5.0, 0.2, 0.1)
    plain = mean_only(values)
    mixed = between(plain, found, 0.25)
    assert abs(mixed.mean - (0.75 * values.mean() + 0.25 * 5.0)) < 1e-12
    average = values.var(ddof=1) * (1.0 + 1.0 / 12.0)
    draws = np.where(
        rng.random(400_000) < 0.25,
        5.0 + np.sqrt(0.3) * rng.standard_normal(400_000),
        values.mean() + np.sqrt(average) * rng.standard_normal(400_000),
    )
    assert abs(mixed.variance + mixed.noise - draws.var()) < 0.02 * draws.var()
    assert between(plain, found, 0.0).mean == values.mean()
