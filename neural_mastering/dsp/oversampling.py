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

from neural_mastering.dsp.streaming_fir import convolve_valid
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
    batch, _, time = audio.shape
    phases = torch.from_numpy(interpolating_phases(factor)).to(audio)
    # Phase 0 is the signal itself, the others are one convolution each; FFTs, since the derivative of a direct
    # convolution with one channel is slow.
    between = [convolve_valid(audio, taps.expand(batch, -1)) for taps in phases[1:]]
    high = torch.stack([audio[..., REACH : time - REACH], *between], dim=-1).flatten(-2)
    changed = change(high[..., : high.shape[-1] - factor + 1])
    taps = torch.from_numpy(decimating_taps(factor)).to(audio).unflatten(0, (-1, factor))
    kept = time - HISTORY_SAMPLES
    needed = (kept + 2 * REACH - 1) * factor
    phase_rows = changed[..., :needed].unflatten(-1, (-1, factor))
    # out[m] = Σ_j Σ_r taps[j, r]·changed[(m + j)·factor + r]: a correlation for each phase r
    parts = [convolve_valid(phase_rows[..., r], taps[:, r].flip(0).expand(batch, -1)) for r in range(factor)]
    return torch.stack(parts).sum(dim=0)


def _window(x: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.i0(_KAISER_BETA * np.sqrt(np.clip(1.0 - x * x, 0.0, None))) / np.i0(_KAISER_BETA)
    return np.where(np.abs(x) <= 1.0, inside, 0.0)
