"""Random numbers by name: known values, uniformity, and independence of order, batch and device layout."""

import hashlib

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from neural_mastering.chance import seed_of, uniform

MASK_64 = (1 << 64) - 1


def _splitmix64(seed: int, counter: int) -> int:
    """The published finaliser of seed + counter·golden, in unsigned Python integers."""
    state = (seed + counter * 0x9E3779B97F4A7C15) & MASK_64
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK_64
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK_64
    return state ^ (state >> 31)


def test_the_oracle_is_splitmix64() -> None:
    # First outputs of the generator seeded with 1234567, as listed for Java's SplittableRandom and Vigna's code.
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [_splitmix64(1234567, i) for i in range(1, 5)] == expected


@pytest.mark.parametrize("salt", [0, 3])
def test_uniform_is_splitmix64(salt: int) -> None:
    seeds = [0, 1, 1234567, (1 << 63) - 1]
    drawn = uniform(torch.tensor(seeds), 5, salt)
    for row, seed in enumerate(seeds):
        for i in range(5):
            bits = (_splitmix64(seed, i + 1 + salt * 65_537) >> 1) & 0x7FFFFF
            assert drawn[row, i].item() == (bits + 0.5) / (1 << 23)  # exact in float32 and in float64


def test_the_largest_draw_is_below_one() -> None:
    # Walk the generator's finaliser backwards from a state whose 23 bits are all set to the seed that leads there.
    unmixed = _invert_finaliser((1 << 24) - 1)
    seed = (unmixed - 0x9E3779B97F4A7C15) & MASK_64
    seed = seed - (1 << 64) if seed >> 63 else seed
    assert uniform(torch.tensor([seed]), 1).item() == 1.0 - 2.0**-24


def _invert_finaliser(value: int) -> int:
    state = _unshift(value, 31)
    state = _unshift(state * pow(0x94D049BB133111EB, -1, 1 << 64) & MASK_64, 27)
    return _unshift(state * pow(0xBF58476D1CE4E5B9, -1, 1 << 64) & MASK_64, 30)


def _unshift(value: int, bits: int) -> int:
    """Undo x ^ (x >> bits)."""
    state = value
    for _ in range(64 // bits + 1):
        state = value ^ (state >> bits)
    return state


def test_uniform_over_many_seeds_and_over_one() -> None:
    across = uniform(torch.arange(20_000), 1)[:, 0].double().numpy()
    along = uniform(torch.tensor([7]), 20_000)[0].double().numpy()
    for sample in (across, along):
        assert kstest(sample, "uniform").pvalue > 1e-3
        assert abs(np.corrcoef(sample[:-1], sample[1:])[0, 1]) < 0.03
        assert sample.min() > 0.0
        assert sample.max() < 1.0


def test_a_row_depends_on_its_own_seed_alone() -> None:
    seeds = torch.tensor([11, -5, 11, 99])
    batch = uniform(seeds, 6)
    assert torch.equal(batch[0], batch[2])
    assert torch.equal(batch.flip(0), uniform(seeds.flip(0), 6))
    for row, seed in enumerate(seeds):
        assert torch.equal(uniform(seed[None], 6)[0], batch[row])
    assert not torch.equal(batch[0], batch[1])
    assert not torch.equal(uniform(seeds, 6, salt=1), batch)


def test_the_first_draws_do_not_depend_on_how_many_are_drawn() -> None:
    seeds = torch.tensor([3, 4])
    assert torch.equal(uniform(seeds, 3), uniform(seeds, 10)[:, :3])


def test_seed_of_is_stable_and_tells_its_parts_apart() -> None:
    assert seed_of(0, 1, "crop") == seed_of(0, 1, "crop")
    parts = [(0,), (1,), (0, 0), ("0",), ("", 0), (0, ""), ("ab",), ("a", "b"), (12, 3), (1, 23), (-1,)]
    seeds = [seed_of(*part) for part in parts]
    assert len(set(seeds)) == len(parts)
    assert all(0 <= seed < 1 << 63 for seed in seeds)


def test_seed_of_equals_its_definition() -> None:
    expected = hashlib.blake2b(
        b"i" + (5).to_bytes(8, "little", signed=True) + b"sx\0", digest_size=8
    ).digest()
    assert seed_of(5, "x") == int.from_bytes(expected, "little") >> 1
