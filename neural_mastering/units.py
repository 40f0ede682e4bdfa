"""Inverse pairs of unit conversions; the only place where they are written.

Amplitudes are linear with full scale ±1; levels are 20·log10 of an amplitude.
"""

import math
from typing import TypeVar

import torch
from torch import Tensor

Number = TypeVar("Number", float, Tensor)

LN10_OVER_20 = math.log(10.0) / 20.0


def db_to_gain(level_db: Number) -> Number:
    """Amplitude ratio of a level: 10^(dB/20)."""
    if isinstance(level_db, Tensor):
        return torch.exp(level_db * LN10_OVER_20)
    return math.exp(level_db * LN10_OVER_20)


def gain_to_db(gain: Number) -> Number:
    """Level of an amplitude ratio: 20·log10(gain); 0 gives −inf."""
    if isinstance(gain, Tensor):
        return torch.log(gain) / LN10_OVER_20
    return math.log(gain) / LN10_OVER_20 if gain > 0 else -math.inf


def power_to_db(power: Tensor) -> Tensor:
    """Level of a power ratio: 10·log10(power); 0 gives −inf."""
    return torch.log(power) / (2.0 * LN10_OVER_20)


def db_to_power(level_db: Tensor) -> Tensor:
    """Power ratio of a level: 10^(dB/10)."""
    return torch.exp(level_db * (2.0 * LN10_OVER_20))
