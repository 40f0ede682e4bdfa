"""The gain search's bisection against a plain one."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from neural_mastering.rendering.delivery.rising_root import bisected


def plain(excess: Callable[[float], float], low: float, high: float, halvings: int) -> float:
    for _ in range(halvings):
        middle = 0.5 * (low + high)
        if excess(middle) > 0.0:
            high = middle
        else:
            low = middle
    return low


@pytest.mark.parametrize("seed", range(30))
def test_it_ends_where_plain_bisection_ends_with_at_most_two_thirds_of_the_calls(seed: int) -> None:
    """Loudness behind a limiter rises with the gain, and flattens."""
    rng = np.random.default_rng(seed)
    root, bend, scale = rng.uniform(0.0, 30.0), rng.uniform(0.02, 1.0), rng.uniform(0.1, 3.0)
    calls = 0

    def excess(x: float) -> float:
        nonlocal calls
        calls += 1
        return scale * math.tanh(bend * (x - root)) + 0.01 * (x - root)

    expected = plain(excess, 0.0, 30.0, 24)
    calls = 0
    assert bisected(excess, 0.0, 30.0) == expected
    assert calls <= 17


@pytest.mark.parametrize("excess", [lambda x: x - 40.0, lambda x: 1.0, lambda x: -1.0, lambda x: 0.0])
def test_ends_of_the_range_and_constants(excess: Callable[[float], float]) -> None:
    assert bisected(excess, 0.0, 30.0) == plain(excess, 0.0, 30.0, 24)


def test_a_step_is_found_to_the_last_halving() -> None:
    def excess(x: float) -> float:
        return 5.0 if x >= 7.123 else -0.001

    assert bisected(excess, 0.0, 30.0) == plain(excess, 0.0, 30.0, 24)
