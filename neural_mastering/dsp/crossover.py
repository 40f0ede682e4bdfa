"""Linkwitz–Riley crossovers of 4th order, zero-phase: bands that add up to the signal itself.

The magnitudes are those of two cascaded Butterworth filters of 2nd order (bilinear transform), with
t = tan(ω/2)/tan(ω_c/2):

    low 1/(1 + t⁴)        high t⁴/(1 + t⁴)

The bands of the recursive form add up to an all-pass that turns by 180° at the crossover, so x + Σ (g_b − 1)·band_b
would not be quiet where all g_b are near 0. Here that phase is removed: the bands are in phase with the delayed
signal and their sum is that signal. The price is a latency of half the impulse response.

Source: S. H. Linkwitz, "Active crossover networks for noncoincident drivers", J. Audio Eng. Soc. 24(1), 1976.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neural_mastering.dsp.streaming_fir import convolve_valid
from neural_mastering.shapes import Audio, check_audio
from neural_mastering.units import NEPERS_PER_DB

FLOOR_DB = -110.0
"""Level to which the slowest impulse response has decayed where it is cut."""


def check_crossovers(crossovers_hz: Sequence[float], sample_rate: float) -> None:
    """Raise ValueError unless the frequencies rise and lie between 0 and half the sample rate."""
    given = list(crossovers_hz)
    if not given or sorted(set(given)) != given or given[0] <= 0.0 or given[-1] >= sample_rate / 2.0:
        raise ValueError(
            f"crossovers must rise and lie between 0 and {sample_rate / 2.0:g} Hz (half the sample rate); "
            f"got {given}"
        )


def latency_samples(crossovers_hz: Sequence[float], sample_rate: float) -> int:
    """Delay of the bands: half the length of the impulse responses, which the lowest crossover decides."""
    # The poles of a Butterworth filter of 2nd order decay by cos 45° of their frequency.
    decay = math.sqrt(0.5) * 2.0 * math.tan(math.pi * min(crossovers_hz) / sample_rate)
    return math.ceil(-FLOOR_DB * NEPERS_PER_DB / decay) + 1


def magnitudes(
    crossovers_hz: Sequence[float], at_hz: NDArray[np.float64], sample_rate: float
) -> NDArray[np.float64]:
    """Responses (band, frequency) of the bands, which are real: zero phase, and a sum of 1."""
    rest, bands = np.ones_like(at_hz), []
    half = np.pi * np.asarray(at_hz) / sample_rate
    for crossover_hz in crossovers_hz:
        # with sines and cosines, since the tangent has a pole at half the rate
        up = np.sin(half) ** 4
        down = (np.cos(half) * math.tan(math.pi * crossover_hz / sample_rate)) ** 4
        bands.append(rest * down / (up + down))
        rest = rest * up / (up + down)
    return np.stack([*bands, rest])


@lru_cache(maxsize=32)
def impulse_responses(crossovers_hz: tuple[float, ...], sample_rate: float) -> NDArray[np.float64]:
    """Symmetric impulse responses (band, 2·latency + 1) of all bands but the last, float64."""
    late = latency_samples(crossovers_hz, sample_rate)
    size = 1 << math.ceil(math.log2(8 * late))
    grid_hz = np.arange(size // 2 + 1, dtype=np.float64) * (sample_rate / size)
    periodic = np.fft.irfft(magnitudes(crossovers_hz, grid_hz, sample_rate)[:-1], n=size)
    return np.concatenate([periodic[:, -late:], periodic[:, : late + 1]], axis=1)


def split(audio: Audio, crossovers_hz: Sequence[float], sample_rate: float) -> Tensor:
    """Split audio into bands (batch, band, channel, time − 2·latency), low to high.

    The sum of the bands is audio[…, latency : time − latency] exactly, since the last band is what the
    others leave.

    Args:
        audio: (batch, channel, time), the first 2·latency samples of which are history.
        crossovers_hz: rising frequencies between the bands.
        sample_rate: in Hz.

    Examples:
        >>> import torch
        >>> noise = torch.randn(1, 2, 8_820, generator=torch.Generator().manual_seed(0))
        >>> latency = latency_samples((200.0, 2_000.0), 44_100)
        >>> bands = split(noise, (200.0, 2_000.0), 44_100)
        >>> bool(((bands.sum(dim=1) - noise[..., latency:-latency]).abs() < 1e-5).all())
        True
    """
    check_audio(audio)
    impulses = impulse_responses(tuple(crossovers_hz), sample_rate)
    late = impulses.shape[1] // 2
    rest = audio[..., late : audio.shape[-1] - late]
    bands = []
    for impulse in impulses:
        response = torch.from_numpy(impulse).to(audio).expand(audio.shape[0], -1)
        bands.append(convolve_valid(audio, response))
        rest = rest - bands[-1]
    return torch.stack([*bands, rest], dim=1)
