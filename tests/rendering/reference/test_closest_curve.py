"""The curve within limits that comes closest, against a general solver and against simpler answers."""

import numpy as np
import pytest
from scipy.optimize import minimize

from neural_mastering.dsp.soft_limit import soft_limited
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, octave_smoothed
from neural_mastering.rendering.reference.closest_curve import ROUGHNESS_PRICE, closest_curve

BANDS = CENTRES_HZ.size
ALL = np.ones(BANDS, dtype=bool)


def wish(seed: int, size_db: float) -> np.ndarray:
    """A smooth curve of that RMS."""
    raw = np.random.default_rng(seed).normal(size=BANDS).cumsum()
    smooth = octave_smoothed(raw - raw.mean())
    return smooth * size_db / smooth[BROAD].std()


def distance_db(curve: np.ndarray, wanted: np.ndarray) -> float:
    return float((octave_smoothed(curve) - wanted)[BROAD].std())


def test_it_is_the_least_of_its_cost() -> None:
    wanted = wish(0, 6.0)

    def cost(curve: np.ndarray) -> float:
        rest = (octave_smoothed(curve) - wanted)[BROAD]
        return float(
            ((rest - rest.mean()) ** 2).sum()
            + ROUGHNESS_PRICE**2 * (np.diff(curve, 3) ** 2).sum()
            + 0.02**2 * ((curve**2).sum() + (np.diff(curve) ** 2).sum())
        )

    found = closest_curve(wanted, ALL, 6.0)
    best = minimize(cost, np.zeros(BANDS), bounds=[(-6.0, 6.0)] * BANDS, options={"maxiter": 2_000})
    assert np.abs(found).max() <= 6.0
    assert cost(found) <= best.fun * (1.0 + 1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_it_comes_nearer_than_a_soft_limit_and_is_smoother(seed: int) -> None:
    wanted = wish(seed, 5.0)
    found, simple = closest_curve(wanted, ALL, 6.0), soft_limited(wanted, 6.0)
    assert distance_db(found, wanted) < distance_db(simple, wanted)
    assert np.std(np.diff(found[BROAD], 3)) < np.std(np.diff(simple[BROAD], 3))


def test_level_is_free_and_nothing_wanted_is_nothing_done() -> None:
    wanted = wish(7, 3.0)
    np.testing.assert_allclose(
        closest_curve(wanted, ALL, 6.0), closest_curve(wanted + 40.0, ALL, 6.0), atol=1e-6
    )
    np.testing.assert_allclose(closest_curve(np.full(BANDS, 12.0), ALL, 6.0), 0.0, atol=1e-6)
    np.testing.assert_array_equal(closest_curve(wanted, ~ALL, 6.0), np.zeros(BANDS))


def test_bands_that_are_not_compared_tell_nothing_and_continue_smoothly() -> None:
    known = CENTRES_HZ < 9_000.0
    wanted = wish(8, 4.0)
    found = closest_curve(wanted, known, 12.0)
    np.testing.assert_array_equal(found, closest_curve(np.where(known, wanted, 99.0), known, 12.0))
    assert np.abs(np.diff(found[~known])).max() < 2.0
