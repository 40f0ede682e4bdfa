"""Scores as Gaussian processes: evidence by numerical integration, predictions by a process with a vague mean."""

import numpy as np

from neural_mastering.engineer.evidence import NOISE_SHARES, Mixture, MixtureEvidence, contrasts
from neural_mastering.engineer.score import ScoreModel, fit_score, predict_score


def _kernels(rng: np.random.Generator, songs: int, traits: int) -> np.ndarray:
    inputs = rng.standard_normal((songs, traits))
    return np.einsum("it,jt->tij", inputs, inputs)


def test_the_evidence_is_the_integral_over_mean_and_variance() -> None:
    rng = np.random.default_rng(0)
    values = np.array([0.3, -0.5, 1.1, 0.4])
    kernels = _kernels(rng, 4, 2)
    found = MixtureEvidence(values, kernels, 2).of([Mixture((0,), (1.0,)), Mixture((1,), (1.0,))])
    mean, log_variance = np.linspace(-8.0, 9.0, 1_501), np.linspace(-14.0, 16.0, 601)
    apart = values[:, None] - mean
    expected = []
    for kernel in kernels:
        row = []
        for eta in (NOISE_SHARES[1], NOISE_SHARES[4]):
            c = (1.0 - eta) * kernel + eta * np.eye(4)
            square = np.einsum("im,ij,jm->m", apart, np.linalg.inv(c), apart)
            log_density = -0.5 * (
                np.linalg.slogdet(c)[1] + 4.0 * log_variance + np.exp(-log_variance) * square[:, None]
            )
            # ∫∫ N(y | m, s²·C) dm d(log s²): a mean far away counts only with a large variance
            inner = np.trapezoid(np.exp(log_density), log_variance, axis=1)
            row.append(np.log(np.trapezoid(inner, mean)))
        expected.append(row)
    difference = found[:, [1, 4]] - np.array(expected)
    assert np.ptp(difference) < 0.02  # equal up to one constant


def test_the_evidence_of_a_mixture_is_that_of_its_whole_matrix() -> None:
    rng = np.random.default_rng(7)
    songs, sparse = 14, 5
    inputs = rng.standard_normal((2, songs, 20))
    general = np.einsum("kit,kjt->kij", inputs, inputs) / 20.0
    kernels = np.concatenate([_kernels(rng, songs, sparse), general])
    kernels[3] = 0.0  # a trait that no song has
    values, basis = rng.standard_normal(songs), contrasts(songs)
    mixtures = [
        Mixture((2,), (1.0,)),
        Mixture((3,), (1.0,)),
        Mixture((6,), (1.0,)),
        Mixture((1, 5), (0.75, 0.25)),
        Mixture((0, 3, 4, 6), (0.3, 0.3, 0.2, 0.2)),
        Mixture((0, 1, 2, 4), (0.1, 0.2, 0.3, 0.4)),
        Mixture((1, 5, 4), (0.5, 0.3, 0.2)),
        Mixture((), ()),
    ]
    found = MixtureEvidence(values, kernels, sparse).of(mixtures)
    for mixture, row in zip(mixtures, found, strict=True):
        kernel = np.einsum("k,kij->ij", np.array(mixture.shares), kernels[list(mixture.indices)])
        for eta, log in zip(NOISE_SHARES, row, strict=True):
            c = basis.T @ ((1.0 - eta) * kernel + eta * np.eye(songs)) @ basis
            y = basis.T @ values
            expected = -0.5 * np.linalg.slogdet(c)[1] - 0.5 * len(y) * np.log(y @ np.linalg.solve(c, y))
            assert abs(log - expected) < 1e-9


def test_a_prediction_is_that_of_a_process_with_a_mean_of_huge_variance() -> None:
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((9, 1))
    values, eta, size = rng.standard_normal(8), 0.25, 0.7
    kernel = np.einsum("it,jt->tij", inputs, inputs)
    model = ScoreModel((Mixture((0,), (1.0,)),), np.array([eta]), np.array([1.0]), values, np.array([size]))
    found = predict_score(model, kernel[:, :8, :8], kernel[:, :8, 8], kernel[:, 8, 8])
    whole = size * (1.0 - eta) * kernel[0] + 1e7  # the mean, known to ± 3000
    noisy = whole[:8, :8] + size * eta * np.eye(8)
    mean = whole[8, :8] @ np.linalg.solve(noisy, values)
    variance = whole[8, 8] - whole[8, :8] @ np.linalg.solve(noisy, whole[:8, 8])
    assert abs(found.mean - mean) < 1e-5
    assert abs(found.variance - variance) < 1e-3 * variance + 1e-6
    assert found.noise == size * eta


def _predictions(values: np.ndarray, inputs: np.ndarray, new: np.ndarray) -> np.ndarray:
    every = np.concatenate([inputs, new])
    kernels = np.einsum("it,jt->tij", every, every)
    kernels = np.concatenate([kernels, kernels.mean(axis=0, keepdims=True)])
    n = len(inputs)
    model = fit_score(values, kernels[:, :n, :n], inputs.shape[1])
    return np.array(
        [
            predict_score(model, kernels[:, :n, :n], kernels[:, :n, i], kernels[:, i, i]).mean
            for i in range(n, len(every))
        ]
    )


def test_one_trait_of_thirty_is_found_from_twenty_songs() -> None:
    rng = np.random.default_rng(2)
    inputs, new = rng.standard_normal((20, 30)), rng.standard_normal((40, 30))
    values = 2.0 + 1.5 * inputs[:, 7] + 0.1 * rng.standard_normal(20)
    error = _predictions(values, inputs, new) - (2.0 + 1.5 * new[:, 7])
    assert (error**2).mean() < 0.05 * 1.5**2


def test_of_noise_hardly_more_than_the_mean_is_learned() -> None:
    rng = np.random.default_rng(3)
    errors, averages = [], []
    for _ in range(8):
        inputs, new = rng.standard_normal((20, 30)), rng.standard_normal((40, 30))
        values = rng.standard_normal(20)
        errors.append((_predictions(values, inputs, new) ** 2).mean())
        averages.append(values.mean() ** 2)
    assert np.mean(errors) - np.mean(averages) < 0.25  # of a variance of 1


def test_a_constant_stays_one() -> None:
    rng = np.random.default_rng(4)
    found = _predictions(np.full(12, 3.0), rng.standard_normal((12, 5)), rng.standard_normal((4, 5)))
    assert np.abs(found - 3.0).max() < 1e-6
