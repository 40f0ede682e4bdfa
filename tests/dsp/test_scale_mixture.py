"""The effective covariance against a numerical integral, and what it is for."""

import numpy as np
import pytest
from scipy.stats import lognorm, norm

from neural_mastering.dsp import scale_mixture
from neural_mastering.dsp.mix_errors import error_covariance
from neural_mastering.dsp.scale_mixture import observed_covariance

BANDS = 29
OFFSET = 30.0


def posterior(gap: np.ndarray, covariance: np.ndarray, error: np.ndarray) -> np.ndarray:
    """E[error | gap] with the covariance that is effective."""
    seen = observed_covariance(gap, covariance, error, OFFSET)
    return error @ np.linalg.solve(seen + error + OFFSET**2, gap)


def spread(size_db: float = 5.0) -> np.ndarray:
    band = np.arange(BANDS)
    return size_db**2 * np.exp(-np.abs(band[:, None] - band) / 4.0)


def test_one_direction_and_a_level_agree_with_an_integral_over_both_scales() -> None:
    # with the level as the second direction, only the first one tells about the scales
    error = np.array([[2.0, 0.3], [0.3, 1.0]])
    across = np.array([1.0, -1.0])
    covariance = 3.0 * np.outer(across, across) + 1e-9 * np.eye(2)
    gap = 4.0 * across
    both = np.hypot(scale_mixture.SONG_SPREAD, scale_mixture.DIRECTION_SPREAD)
    scale = lognorm.ppf((np.arange(200_000) + 0.5) / 200_000, both, scale=scale_mixture.MEDIAN)
    # the difference of the two entries is all that the offset leaves
    seen, own = 8.0, float(across @ error @ across)
    total = own + 12.0 * scale
    likelihood = norm.pdf(seen, scale=np.sqrt(total))
    expected = float((likelihood * own / total).sum() / likelihood.sum()) * seen
    found = observed_covariance(gap, covariance, error, 1e3)
    curve = error @ np.linalg.solve(found + error + 1e6, gap)
    assert curve @ across == pytest.approx(expected, rel=2e-3)


def test_without_scales_the_gaussian_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SONG_SPREAD", "DIRECTION_SPREAD"):
        monkeypatch.setattr(scale_mixture, name, 0.0)
    monkeypatch.setattr(scale_mixture, "MEDIAN", 1.0)
    gap, error = np.random.default_rng(0).normal(size=BANDS) * 4.0, error_covariance(2.0)
    expected = error @ np.linalg.solve(spread() + error + OFFSET**2, gap)
    np.testing.assert_allclose(posterior(gap, spread(), error), expected, atol=1e-3)


def test_level_tells_nothing() -> None:
    gap, error = np.random.default_rng(1).normal(size=BANDS) * 4.0, error_covariance(2.0)
    moved, higher = (posterior(gap + level, spread(), error) for level in (0.0, 25.0))
    np.testing.assert_allclose(moved - moved.mean(), higher - higher.mean(), atol=0.02)


@pytest.mark.parametrize("size_db", [0.5, 2.0, 6.0])
def test_a_larger_gap_is_followed_by_a_smaller_share(size_db: float) -> None:
    rng = np.random.default_rng(2)
    gap = np.linalg.cholesky(spread()) @ rng.normal(size=BANDS)
    error = error_covariance(size_db)
    shares = [np.std(posterior(size * gap, spread(), error)) / size for size in (0.3, 1.0, 3.0, 9.0)]
    assert np.all(np.diff(shares) < 0.0)


def test_one_odd_direction_is_followed_less_than_the_others() -> None:
    error, band = error_covariance(2.0), np.arange(BANDS)
    slope, ripple = 12.0 * np.linspace(-1.0, 1.0, BANDS), 2.0 * np.sin(2.0 * np.pi * band / 9.0)
    total = spread() + error + OFFSET**2
    up, down = (posterior(slope + sign * ripple, spread(), error) for sign in (1.0, -1.0))

    def share(curve: np.ndarray, gap: np.ndarray) -> float:
        """Of what a Gaussian would do."""
        at = gap - gap.mean()
        return float((curve @ at) / (error @ np.linalg.solve(total, gap) @ at))

    assert share(up + down, 2.0 * slope) < 0.85 * share(up - down, 2.0 * ripple)
