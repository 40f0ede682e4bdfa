"""The cluster bootstrap against what is known of it."""

import math

import numpy as np
import pytest

from neural_mastering.evaluation.statistics import cluster_interval, estimate


def test_mean_and_median_leave_out_unknown_values() -> None:
    got = estimate([1.0, math.nan, 3.0, 8.0], ["a", "a", "b", "c"])
    assert (got.mean, got.median, got.songs, got.groups) == (4.0, 3.0, 3, 3)


def test_interval_of_independent_songs_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(1).standard_normal(400)
    low, high = cluster_interval(values, [str(i) for i in range(400)])
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.012)
    assert high == pytest.approx(values.mean() + half, abs=0.012)


def test_groups_of_equal_songs_widen_the_interval_by_the_root_of_their_size() -> None:
    values = np.random.default_rng(2).standard_normal(100)
    alone = cluster_interval(values, [str(i) for i in range(100)])
    repeated = cluster_interval(np.repeat(values, 9), [str(i) for i in range(100) for _ in range(9)])
    assert repeated == pytest.approx(alone)  # nine copies of a song tell nothing new
    naive = cluster_interval(np.repeat(values, 9), [str(i) for i in range(900)])
    assert (alone[1] - alone[0]) / (naive[1] - naive[0]) == pytest.approx(3.0, rel=0.1)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    groups = [str(i) for i in range(20) for _ in range(5)]
    hits = 0
    for _ in range(300):
        values = np.repeat(rng.standard_normal(20), 5) + rng.standard_normal(100)
        low, high = cluster_interval(values, groups, draws=500)
        hits += low <= 0.0 <= high
    assert 0.88 <= hits / 300 <= 0.97


def test_one_group_has_no_interval_and_the_seed_fixes_the_rest() -> None:
    assert all(map(math.isnan, cluster_interval(np.array([1.0, 2.0]), ["a", "a"])))
    values, groups = np.arange(6.0), list("aabbcc")
    assert cluster_interval(values, groups, seed=4) == cluster_interval(values, groups, seed=4)
    assert math.isnan(estimate([math.nan], ["a"]).mean)


def test_groups_of_unequal_size_weigh_songs_and_not_groups() -> None:
    values, groups = np.array([0.0] * 9 + [10.0]), ["a"] * 9 + ["b"]
    low, high = cluster_interval(values, groups)
    assert estimate(list(values), groups).mean == 1.0
    assert (low, high) == (0.0, 10.0)  # draws of one group twice; a and b together give 1
