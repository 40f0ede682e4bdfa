"""Random numbers that depend on names and counters, never on the order of execution.

A crop, a degradation or a gate's noise is a function of hash(seed, epoch, index), so that a resumed run,
a run on several devices and a rerun draw the same numbers.
"""

import hashlib
import struct

import torch
from jaxtyping import Float
from torch import Tensor

from neural_mastering.shapes import ItemSeeds

_MASK_23 = (1 << 23) - 1


def seed_of(*parts: int | str) -> int:
    """A 63-bit seed from integers and strings (BLAKE2b of their encoding); equal on every machine."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(
            b"s" + part.encode() + b"\0" if isinstance(part, str) else b"i" + struct.pack("<q", part)
        )
    return int.from_bytes(digest.digest(), "little") >> 1


def uniform(seeds: ItemSeeds, count: int, salt: int = 0) -> Float[Tensor, "batch {count}"]:
    """Numbers in (0, 1) for each item from its own seed, on any device: splitmix64 of seed + counter.

    Row i depends on seeds[i] alone. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
    generators", OOPSLA 2014 (the finaliser, in wrapping 64-bit arithmetic).
    """
    counter = torch.arange(1, count + 1, device=seeds.device, dtype=torch.int64) + salt * 65_537
    state = seeds.to(torch.int64).unsqueeze(-1) + counter * -7046029254386353131  # 0x9E3779B97F4A7C15
    state = (state ^ _shift_right(state, 30)) * -4658895280553007687  # 0xBF58476D1CE4E5B9
    state = (state ^ _shift_right(state, 27)) * -7723592293110705685  # 0x94D049BB133111EB
    state = state ^ _shift_right(state, 31)
    # 23 bits and a half fill float32's 24 exactly; one bit more would round the largest draw up to 1.
    return (((state >> 1) & _MASK_23).to(torch.float32) + 0.5) / float(_MASK_23 + 1)


def _shift_right(value: Tensor, bits: int) -> Tensor:
    """Logical (unsigned) shift right of int64."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)
