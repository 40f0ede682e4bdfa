"""Run something between the samples: up by a whole factor, a change computed there, and down again.

Both filters are one Kaiser-windowed sinc that falls from 0.4535 to 0.5465 of the sample rate. The upper one has an
odd number of taps, the lower one an even number: the half sample (of the high rate) that the second adds is the one
that averaging between two samples takes away, so a change made by `waveshaper` comes out exactly on the samples.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neural_mastering.shapes import Audio

REACH = 32
"""Samples of the low rate that each filter reaches to either side."""

LATENCY_SAMPLES = 2 * REACH
HISTORY_SAMPLES = 4 * REACH
"""What a chunk needs before it, of which the second half is latency."""

_KAISER_BETA = 9.0


@lru_cache(maxsize=16)
def interpolating_phases(factor: int) -> NDArray[np.float64]:
    """Filters (factor, 2·REACH + 1) that give the values at the positions k/factor after a sample."""
    position = np.arange(-REACH, REACH + 1)[None, :] + np.arange(factor)[:, None] / factor
    taps = np.sinc(position) * _window(position / REACH)
    return taps / taps.sum(axis=1, keepdims=True)


@lru_cache(maxsize=16)
def decimating_taps(factor: int) -> NDArray[np.float64]:
    """An even low-pass (2·REACH·factor,) at the high rate, sum 1."""
    position = (np.arange(2 * REACH * factor) - REACH * factor + 0.5) / factor
    taps = np.sinc(position) * _window(position / REACH)
    return taps / taps.sum()


def oversampled_change(audio: Audio, factor: int, change: Callable[[Tensor], Tensor]) -> Tensor:
    """The change that a memoryless stage makes, computed at `factor` times the rate.

    Args:
        audio: (batch, channel, time), its first HISTORY_SAMPLES being history.
        factor: 1 or more.
        change: u (batch, channel, n) at the high rate → (batch, channel, n − 1), the values between neighbours.

    Returns:
        (batch, channel, time − HISTORY_SAMPLES), for the samples audio[…, LATENCY : time − LATENCY].
    """
    batch, channels, time = audio.shape
    rows = audio.reshape(batch * channels, 1, time)
    phases = torch.from_numpy(interpolating_phases(factor)).to(audio)
    high = torch.nn.functional.conv1d(rows, phases.flip(-1)[:, None])
    high = high.transpose(1, 2).reshape(batch, channels, -1)
    changed = change(high[..., : high.shape[-1] - factor + 1])
    taps = torch.from_numpy(decimating_taps(factor)).to(audio)
    low = torch.nn.functional.conv1d(changed.flatten(0, 1)[:, None], taps[None, None], stride=factor)
    return low.reshape(batch, channels, -1)[..., : time - HISTORY_SAMPLES]


def _window(x: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.i0(_KAISER_BETA * np.sqrt(np.clip(1.0 - x * x, 0.0, None))) / np.i0(_KAISER_BETA)
    return np.where(np.abs(x) <= 1.0, inside, 0.0)
