"""Error of the long-term average spectrum in third octaves."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from neural_mastering.dsp.ltas import third_octave_levels_db
from neural_mastering.shapes import Audio, PerItem, check_audio
from neural_mastering.units import third_octave_hz, third_octave_number

LOW_HZ, HIGH_HZ = 25.0, 15_000.0
"""Lossy sources hold little above 15 kHz. The band of 12.5 kHz (to 14.1 kHz) is the highest that lies below."""

FLOOR_DB = -100.0
"""Band levels below count as this one, so that nothing against almost nothing costs little."""


def ltas_error(
    prediction: Audio,
    target: Audio,
    sample_rate: float,
    low_hz: float = LOW_HZ,
    high_hz: float = HIGH_HZ,
    floor_db: float = FLOOR_DB,
) -> PerItem:
    """RMS over third octaves of the difference of levels in dB, mean over channels, (batch,).

    Args:
        prediction, target: (batch, channel, time).
        sample_rate: in Hz.
        low_hz: first mid-band frequency.
        high_hz: bands whose upper edge lies above are left out.
        floor_db: lowest band level, re full-scale power.

    Examples:
        >>> import torch
        >>> noise = 0.1 * torch.randn(1, 2, 44_100, generator=torch.Generator().manual_seed(0))
        >>> ltas_error(0.5 * noise, noise, 44_100)
        tensor([6.02])
    """
    own, wanted = (channel_levels_db(side, sample_rate, low_hz, high_hz) for side in (prediction, target))
    return levels_rms_error(own, wanted, floor_db=floor_db)


def channel_levels_db(
    audio: Audio, sample_rate: float, low_hz: float = LOW_HZ, high_hz: float = HIGH_HZ
) -> Float[Tensor, "batch channel third"]:
    """Third-octave levels of each channel by itself."""
    check_audio(audio)
    batch, channels = audio.shape[:2]
    # 10^0.05 from the mid-band frequency to the upper edge
    levels = third_octave_levels_db(audio.flatten(0, 1)[:, None], sample_rate, low_hz, top_band_hz(high_hz))
    return levels.view(batch, channels, -1)


def top_band_hz(high_hz: float) -> float:
    """Mid-band frequency of the highest third octave that ends at or below `high_hz`."""
    return third_octave_hz(math.floor(third_octave_number(high_hz) - 0.5 + 1e-6))


def levels_rms_error(
    prediction_db: Float[Tensor, "batch channel third"],
    target_db: Float[Tensor, "batch channel third"],
    gain_db: float = 0.0,
    floor_db: float = FLOOR_DB,
) -> PerItem:
    """The error from the levels of both sides, with a gain on the prediction."""
    difference = (prediction_db + gain_db).clamp(min=floor_db) - target_db.clamp(min=floor_db)
    power = difference.square().mean(dim=-1)
    # a gradient of 0 where there is no error; that of the root would be infinite
    return torch.where(power > 0.0, power.clamp(min=torch.finfo(power.dtype).tiny).sqrt(), 0.0).mean(dim=-1)
