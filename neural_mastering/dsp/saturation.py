"""Saturation: drive and bias in physical terms, level compensation, a DC blocker.

    processed = c·[f(D·x + b) − f(b)],   D = 10^(drive/20)
    c         = 2a / [f(D·a + b) − f(−D·a + b)],   a = 10^(−14/20)

so a wave of amplitude a keeps its height whatever the drive. f is `waveshaper.soft_clip` with unit slope at 0 and a
corner between 1 (soft) and 0.02 (hard). Taking f(b) away leaves a mean that follows the signal; a
high-pass of first order at 10 Hz behind the difference removes it.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neural_mastering.dsp.waveshaper import soft_clip
from neural_mastering.shapes import PerItem
from neural_mastering.units import db_to_gain, gain_to_db

SOFT_CORNER, HARD_CORNER = 1.0, 0.02
KEPT_AMPLITUDE_DB = -14.0
DC_BLOCKER_HZ = 10.0
FLOOR_DB = -110.0


def corner_of(shape: Tensor) -> Tensor:
    """Width of the corner for a shape from 0 (soft) to 1 (hard), on a log scale."""
    return SOFT_CORNER * torch.exp(shape * math.log(HARD_CORNER / SOFT_CORNER))


def soft_clip_parameters(
    drive_db: PerItem, shape: PerItem, bias: PerItem
) -> tuple[PerItem, PerItem, PerItem, PerItem]:
    """Slope, offset, corner and gain of `waveshaper.soft_clip_change`, float64.

    Examples:
        6 dB of drive double the slope at 0; the gain brings a wave of −14 dBFS back to its height:

        >>> import torch
        >>> from neural_mastering.dsp.waveshaper import soft_clip
        >>> none = torch.zeros(1)
        >>> slope, offset, corner, gain = soft_clip_parameters(torch.tensor([6.0206]), none, none)
        >>> kept = 10 ** (-14 / 20)
        >>> (gain * soft_clip(slope * kept + offset, corner) / kept).item()
        1.000
        >>> (slope / torch.sqrt(1.0 + corner.square())).item()
        2.000
    """
    corner = corner_of(shape.double())
    unit = torch.sqrt(1.0 + corner.square())  # makes the slope at 0 equal to 1
    slope, offset = unit * db_to_gain(drive_db.double()), unit * bias.double()
    kept = db_to_gain(KEPT_AMPLITUDE_DB)
    height = soft_clip(slope * kept + offset, corner) - soft_clip(offset - slope * kept, corner)
    return slope, offset, corner, 2.0 * kept / height


@lru_cache(maxsize=16)
def dc_blocker_impulse(sample_rate: float) -> NDArray[np.float64]:
    """Impulse response of (1 + R)/2·(1 − z⁻¹)/(1 − R·z⁻¹), R = exp(−2π·10 Hz/rate), until −110 dB.

    Examples:
        It removes a constant and keeps the middle of the band:

        >>> import numpy as np
        >>> impulse = dc_blocker_impulse(44_100)
        >>> abs(impulse.sum()) < 1e-5
        np.True_
        >>> at_1_khz = np.exp(-2j * np.pi * 1_000 / 44_100 * np.arange(impulse.size))
        >>> abs(impulse @ at_1_khz)
        np.float64(1.000)
    """
    pole = math.exp(-2.0 * math.pi * DC_BLOCKER_HZ / sample_rate)
    taps = math.ceil(FLOOR_DB / gain_to_db(pole))
    impulse = -0.5 * (1.0 - pole * pole) * pole ** (np.arange(taps) - 1.0)
    impulse[0] = 0.5 * (1.0 + pole)
    return np.asarray(impulse, dtype=np.float64)


def factor_for(sample_rate: float, wanted_hz: float) -> int:
    """The smallest power of two by which a rate reaches (nearly) `wanted_hz`."""
    return 1 << max(math.ceil(math.log2(0.9 * wanted_hz / sample_rate)), 0)
