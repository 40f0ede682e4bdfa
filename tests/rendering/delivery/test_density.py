"""Density as a bound on the loss of loudness."""

import math

import pytest

from neural_mastering.rendering.delivery.density import density_for, most_loss_lu


@pytest.mark.parametrize("loss_lu", [0.2, 0.5, 0.9, 2.0, 2.3, 5.0, 7.9, 8.0, 30.0])
def test_the_density_named_allows_the_loss_and_a_smaller_one_does_not(loss_lu: float) -> None:
    density = density_for(loss_lu)
    assert most_loss_lu(density) >= loss_lu
    if density > 0.0:
        assert most_loss_lu(density - 0.05) < loss_lu


def test_the_bound_rises_with_the_density_and_ends_at_one() -> None:
    bounds = [most_loss_lu(i / 10) for i in range(11)]
    assert bounds == sorted(bounds) and math.isinf(bounds[-1])
