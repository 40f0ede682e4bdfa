"""Numbers from counters: known values, uniformity, independence of order."""

import numpy as np
import scipy.stats
import torch

from neural_mastering.chance import seed_of, uniform

MASK = (1 << 64) - 1


def _splitmix64(seed: int, counter: int) -> int:
    """The finaliser in Python's unbounded integers."""
    z = (seed + counter * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def test_it_is_splitmix64() -> None:
    # The first output of splitmix64 with seed 0, as published with the algorithm's reference values.
    assert _splitmix64(0, 1) == 0xE220A8397B1DCDAF
    seeds = [0, 1, 123_456_789, (1 << 63) - 1]
    drawn = uniform(torch.tensor(seeds), 5)
    for row, seed in zip(drawn.tolist(), seeds, strict=True):
        expected = [((_splitmix64(seed, i) & 0xFFFFFF) + 0.5) / (1 << 24) for i in range(1, 6)]
        np.testing.assert_allclose(row, expected, rtol=1e-6)


def test_numbers_are_uniform_within_and_across_seeds() -> None:
    drawn = uniform(torch.tensor([seed_of(0, 0, i) for i in range(4_000)]), 4)
    assert bool((drawn > 0).all()) and bool((drawn < 1).all())
    for column in drawn.T.numpy():
        assert scipy.stats.kstest(column, "uniform").pvalue > 0.01
    correlation = np.corrcoef(drawn.T.numpy())
    assert np.abs(correlation - np.eye(4)).max() < 0.05


def test_a_row_depends_on_its_seed_alone() -> None:
    seeds = torch.tensor([5, 6, 7])
    assert torch.equal(uniform(seeds, 3)[1:2], uniform(seeds[1:2], 3))
    assert torch.equal(uniform(seeds, 5)[:, :3], uniform(seeds, 3))
    assert not torch.equal(uniform(seeds, 3), uniform(seeds, 3, salt=1))


def test_seeds_depend_on_every_part_and_its_type() -> None:
    seeds = {seed_of(0, 1, 2), seed_of(0, 2, 1), seed_of(1, 1, 2), seed_of(0, 1), seed_of("0", 1, 2), seed_of("a", "b")}
    seeds |= {seed_of("ab"), seed_of("a", "", "b")}
    assert len(seeds) == 8 and all(0 <= seed < 1 << 63 for seed in seeds)
    assert seed_of(0, "song", 3) == seed_of(0, "song", 3)
