"""A planted mean and covariance come back; odd songs, missing bands and single songs do no harm."""

import numpy as np
import pytest

from neural_mastering.styles.profile import Spread
from neural_mastering.styles.robust import plain_covariance, robust_fit, robust_spread, weighted_median

BANDS = 29


def _planted(songs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mean = np.cumsum(rng.normal(0, 2, BANDS))
    band = np.arange(BANDS)
    covariance = 20.0 * np.exp(-np.abs(band[:, None] - band[None, :]) / 5.0) + np.diag(
        rng.uniform(0.5, 4.0, BANDS)
    )
    return mean, covariance, rng.multivariate_normal(mean, covariance, songs)


def test_mean_and_covariance_come_back_within_the_error_of_sampling() -> None:
    songs = 2_000
    mean, covariance, values = _planted(songs)
    fit = robust_fit(values, plain_covariance(), prior_songs=20.0)
    sigma = np.sqrt(np.diag(covariance))
    assert np.all(np.abs(fit.mean - mean) < 4.0 * sigma / np.sqrt(songs))
    assert fit.known.all()
    # standard error of an entry of a sample covariance
    error = np.sqrt((covariance**2 + np.outer(sigma, sigma) ** 2) / songs)
    prior = (plain_covariance() - covariance) * 20.0 / songs
    assert np.abs((fit.covariance - covariance - prior) / error).max() < 5.0
    ratio = np.trace(np.linalg.solve(covariance, fit.covariance)) / BANDS
    assert ratio == pytest.approx(1.0, abs=0.04)


def test_songs_far_out_change_little_and_are_found() -> None:
    mean, covariance, values = _planted(60, seed=1)
    clean = robust_fit(values, plain_covariance(), prior_songs=20.0)
    sigma = np.sqrt(np.diag(covariance))
    odd = values.copy()
    odd[:3] = mean + 8.0 * sigma * np.where(np.arange(BANDS) % 2, 1, -1)
    fit = robust_fit(odd, plain_covariance(), prior_songs=20.0)
    plain_shift = np.abs(odd.mean(axis=0) - clean.mean).max()
    assert np.abs(fit.mean - clean.mean).max() < 0.25 * plain_shift
    assert np.all(fit.weights[:3] < 0.2) and np.median(fit.weights[3:]) > 0.9
    plain_growth = np.trace(np.cov(odd.T)) / np.trace(clean.covariance)
    assert np.trace(fit.covariance) / np.trace(clean.covariance) < 1.0 + 0.3 * (plain_growth - 1.0)


def test_missing_bands_are_filled_in_from_the_others() -> None:
    mean, covariance, values = _planted(500, seed=2)
    sigma = np.sqrt(np.diag(covariance))
    # those that lack treble have much bass: their mean alone would be wrong
    lacks = values[:, 0] > mean[0]
    covariance[0, -1] = covariance[-1, 0]
    holes = values.copy()
    holes[lacks, -4:] = np.nan
    fit, whole = (robust_fit(v, plain_covariance(), prior_songs=20.0) for v in (holes, values))
    biased = np.abs(np.nanmean(holes, axis=0) - whole.mean)[-4:]
    assert np.all(
        np.abs(fit.mean - whole.mean)[-4:] < np.maximum(0.5 * biased, 3.0 * sigma[-4:] / np.sqrt(500))
    )
    np.testing.assert_allclose(fit.mean[:-4], whole.mean[:-4], atol=0.1)


def test_a_band_that_most_songs_lack_is_not_known() -> None:
    _, _, values = _planted(10, seed=3)
    values[:6, 0], values[:5, 1] = np.nan, np.nan
    fit = robust_fit(values, plain_covariance(), prior_songs=20.0)
    assert not fit.known[0] and fit.known[1:].all()
    assert np.linalg.eigvalsh(fit.covariance).min() > 0.0


def test_one_song_has_the_general_covariance_and_its_own_mean() -> None:
    _, _, values = _planted(1, seed=4)
    fit = robust_fit(values, plain_covariance(), prior_songs=20.0)
    np.testing.assert_allclose(fit.mean, values[0], atol=1e-9)
    np.testing.assert_allclose(fit.covariance, plain_covariance(), atol=1e-9)


def test_the_order_of_songs_and_twice_the_shares_change_nothing() -> None:
    _, _, values = _planted(40, seed=5)
    values[3, :5] = np.nan
    order = np.random.default_rng(0).permutation(40)
    share = np.linspace(1.0, 2.0, 40)
    one = robust_fit(values, plain_covariance(), share)
    two = robust_fit(values[order], plain_covariance(), 2.0 * share[order])
    np.testing.assert_allclose(one.mean, two.mean, atol=1e-9)
    np.testing.assert_allclose(one.covariance, two.covariance, atol=1e-9)


def test_a_song_that_stands_for_many_counts_like_many() -> None:
    _, _, values = _planted(30, seed=6)
    share = np.where(np.arange(30) < 3, 50.0, 1.0)
    fit = robust_fit(values, plain_covariance(), share)
    heavy = values[:3].mean(axis=0)
    assert np.abs(fit.mean - heavy).mean() < np.abs(values.mean(axis=0) - heavy).mean()


def test_the_spread_of_a_number() -> None:
    values = np.random.default_rng(7).normal(-9.0, 1.5, 4_000)
    values[:200] = 60.0
    found = robust_spread(values, None)
    assert found is not None
    assert found.mean == pytest.approx(-9.0, abs=0.15) and found.sd == pytest.approx(1.5, rel=0.1)
    one = robust_spread(np.array([-7.0, np.nan]), Spread(-12.0, 3.0))
    assert one == Spread(-7.0, 3.0)
    assert robust_spread(np.array([np.nan]), None) is None


def test_a_weighted_median_is_a_median_of_copies() -> None:
    rng = np.random.default_rng(8)
    values, copies = rng.normal(size=9), rng.integers(1, 5, 9)
    assert weighted_median(values, copies.astype(float)) == pytest.approx(
        np.median(np.repeat(values, copies))
    )
