"""Stereo width and bass to the middle: changes of the side alone, so the mono sum stays as it is.

With S = (L − R)/2 and HP a Butterworth high-pass of 2nd order (bilinear transform):

    S' = width·(S + amount·(HP(S) − S))        L' = L + (S' − S),  R' = R − (S' − S)
"""

import math

import torch
from torch import Tensor

from neural_mastering.dsp.streaming_fir import convolve_with_tail
from neural_mastering.shapes import Audio, PerItem
from neural_mastering.units import NEPERS_PER_DB

FLOOR_DB = -110.0
"""Level to which the high-pass's impulse response has decayed where it is cut."""


def side_of(audio: Audio) -> Tensor:
    """S = (L − R)/2 of stereo audio, (batch, 1, time)."""
    return 0.5 * (audio[:, :1] - audio[:, 1:])


def add_to_side(audio: Audio, change: Tensor) -> Audio:
    """Stereo audio whose side is larger by `change` (batch, 1, time); L + R is untouched but for rounding."""
    return torch.cat([audio[:, :1] + change, audio[:, 1:] - change], dim=1)


def high_pass_taps(lowest_hz: float, sample_rate: float) -> int:
    """Length of the high-pass's impulse response for the lowest frequency that is allowed."""
    decay = math.sqrt(0.5) * 2.0 * math.tan(math.pi * lowest_hz / sample_rate)
    return 2 * math.ceil(0.5 * -FLOOR_DB * NEPERS_PER_DB / decay) + 2


def low_part_impulse(frequency_hz: PerItem, sample_rate: float, taps: int) -> Tensor:
    """Impulse response (batch, taps) of HP − 1 = −(√2·s + 1)/(s² + √2·s + 1), s = j·tan(ω/2)/tan(ω₀/2); float64."""
    size = 2 * taps
    half = torch.arange(size // 2 + 1, device=frequency_hz.device, dtype=torch.float64) * (math.pi / size)
    corner = torch.tan(frequency_hz.double()[:, None] * (math.pi / sample_rate)) * torch.cos(half)
    sine = torch.sin(half)
    turning = math.sqrt(2.0) * sine * corner
    # s = j·sine/corner, both sides times corner²
    response = -torch.complex(corner.square(), turning) / torch.complex(
        corner.square() - sine.square(), turning
    )
    return torch.fft.irfft(response, n=size)[:, :taps]


def side_change(
    side: Tensor,
    width: PerItem,
    bass_frequency_hz: PerItem,
    bass_amount: PerItem,
    sample_rate: float,
    taps: int,
    tail: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """S' − S of a side (batch, 1, time), and the high-pass's tail for the next chunk."""
    impulse = low_part_impulse(bass_frequency_hz, sample_rate, taps).to(side.dtype)
    low, tail = convolve_with_tail(side, impulse, tail)
    width, bass_amount = (v.to(side.dtype)[:, None, None] for v in (width, bass_amount))
    return (width - 1.0) * side + width * bass_amount * low, tail
