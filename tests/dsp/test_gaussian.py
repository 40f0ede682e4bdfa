"""Gaussian algebra against brute force and closed forms."""

import numpy as np
import pytest

from neural_mastering.dsp.gaussian import Gaussian, combine, updated


def positive(rng: np.random.Generator, size: int, scale: float = 1.0) -> np.ndarray:
    factor = rng.normal(size=(size, size + 3))
    return scale * factor @ factor.T / (size + 3) + 0.1 * np.eye(size)


def test_one_statement_is_the_kalman_update() -> None:
    rng = np.random.default_rng(0)
    prior, noise, seen = positive(rng, 6), positive(rng, 6), rng.normal(size=6)
    gain = prior @ np.linalg.inv(prior + noise)
    found = combine(prior, [Gaussian.of(seen, noise)])
    np.testing.assert_allclose(found.mean, gain @ seen, rtol=1e-9)
    np.testing.assert_allclose(found.covariance, prior - gain @ prior, rtol=1e-8, atol=1e-12)


def test_two_statements_at_once_equal_one_after_the_other() -> None:
    rng = np.random.default_rng(1)
    prior, a, b = positive(rng, 5), positive(rng, 5), positive(rng, 5)
    x, y = rng.normal(size=5), rng.normal(size=5)
    first = combine(prior, [Gaussian.of(x, a)])
    gain = first.covariance @ np.linalg.inv(first.covariance + b)
    both = combine(prior, [Gaussian.of(x, a), Gaussian.of(y, b)])
    np.testing.assert_allclose(both.mean, first.mean + gain @ (y - first.mean), rtol=1e-8)
    np.testing.assert_allclose(both.parts.sum(axis=0), both.mean, rtol=1e-12)


def test_unknown_entries_say_nothing() -> None:
    rng = np.random.default_rng(2)
    prior, noise = positive(rng, 4), positive(rng, 4)
    known = np.array([True, False, True, True])
    wild, calm = np.array([1.0, 1e9, 2.0, 3.0]), np.array([1.0, np.nan, 2.0, 3.0])
    one, other = (combine(prior, [Gaussian(m, noise, known)]).mean for m in (wild, calm))
    np.testing.assert_array_equal(one, other)


def test_a_free_offset_leaves_the_shape_alone() -> None:
    rng = np.random.default_rng(3)
    prior, noise, seen = positive(rng, 4), positive(rng, 4), rng.normal(size=4)
    one = combine(prior, [Gaussian.of(seen, noise)], offset=1e4).mean
    other = combine(prior, [Gaussian.of(seen + 5.0, noise)], offset=1e4).mean
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_evidence_moves_from_one_prior_to_another() -> None:
    # t ~ prior, evidence y = t + noise: what `updated` makes of a posterior under `general` is that under `prior`
    rng = np.random.default_rng(4)
    general = Gaussian.of(rng.normal(size=5), positive(rng, 5, 4.0))
    prior = Gaussian.of(rng.normal(size=5), positive(rng, 5, 2.0))
    noise, seen = positive(rng, 5), rng.normal(size=5)

    def posterior(of: Gaussian) -> Gaussian:
        found = combine(of.covariance, [Gaussian.of(seen - of.mean, noise)])
        return Gaussian.of(of.mean + found.mean, found.covariance)

    found, expected = updated(prior, posterior(general), general), posterior(prior)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-6)
    np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-6)


def test_levels_of_no_meaning_do_not_bend_the_shape() -> None:
    rng = np.random.default_rng(6)
    prior, general = (Gaussian.of(rng.normal(size=5), positive(rng, 5, 3.0)) for _ in range(2))
    predicted = Gaussian.of(rng.normal(size=5), 0.3 * general.covariance)
    one, other = (
        updated(Gaussian.of(prior.mean + level, prior.covariance), predicted, general, offset=1e3).mean
        for level in (0.0, -25.0)
    )
    np.testing.assert_allclose(one - one.mean(), other - other.mean(), atol=1e-3)


def test_no_evidence_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    general, prior = (Gaussian.of(rng.normal(size=4), positive(rng, 4)) for _ in range(2))
    found = updated(prior, general, general)
    np.testing.assert_allclose(found.mean, prior.mean, atol=1e-9)
    np.testing.assert_allclose(found.covariance, prior.covariance, rtol=1e-9)


def test_sigma_is_not_a_number_where_nothing_is_known() -> None:
    found = Gaussian(np.zeros(2), np.diag([4.0, 9.0]), np.array([True, False])).sigma
    assert found[0] == pytest.approx(2.0)
    assert np.isnan(found[1])
