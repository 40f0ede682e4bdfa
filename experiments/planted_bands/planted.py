"""Planted equalisers: the truth is a set of k bands of the 10-band layout, and a head must find it again."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.signal import lfilter
from torch import Tensor

from neural_mastering.dsp import biquad
from neural_mastering.dsp.biquad import Kind

LOW_SHELF_HZ, PEAKS_HZ, HIGH_SHELF_HZ = (40.0, 200.0), (50.0, 14_000.0), (3_000.0, 14_000.0)
GAIN_DB, PEAK_Q, SHELF_Q = (4.0, 10.0), (1.0, 4.0), (0.6, 0.9)
MOST_PEAKS = 8
GRID_HZ = torch.logspace(math.log10(30.0), math.log10(16_000.0), 400, dtype=torch.float64)


@dataclass(frozen=True)
class Planted:
    """A true equaliser: arrays over its bands, in order of kind and frequency."""

    kinds: tuple[Kind, ...]
    frequency_hz: Tensor
    gain_db: Tensor
    q: Tensor

    def apply(self, audio: Tensor, sample_rate: float) -> Tensor:
        """Filter audio (batch, channel, time)."""
        controls = (p.to(audio).expand(audio.shape[0], -1) for p in (self.frequency_hz, self.gain_db, self.q))
        return biquad.equalize(audio, *controls, sample_rate, self.kinds)

    def curve_db(self, sample_rate: float) -> Tensor:
        """Level in dB at `GRID_HZ`."""
        controls = (p[None] for p in (self.frequency_hz, self.gain_db, self.q))
        return biquad.response_db(*controls, GRID_HZ, sample_rate, self.kinds)[0]


def plant(count: int, seed: int) -> Planted:
    """Draw `count` bands: either shelf may be among them; peaks lie an octave apart or more, |gain| ≥ 4 dB."""
    random = np.random.default_rng([count, seed])
    shelves = [s for s in [(0, 0), (1, 0), (0, 1), (1, 1)] if count - sum(s) <= MOST_PEAKS]
    low, high = shelves[random.integers(len(shelves))]
    peaks = count - low - high
    start, end = (math.log2(f) for f in PEAKS_HZ)
    slack = np.sort(random.uniform(0.0, end - start - (peaks - 1), peaks))
    octaves = start + slack + np.arange(peaks)
    frequency = [
        *(np.exp(random.uniform(*np.log(LOW_SHELF_HZ), low))),
        *(2.0**octaves),
        *(np.exp(random.uniform(*np.log(HIGH_SHELF_HZ), high))),
    ]
    gain = random.uniform(*GAIN_DB, count) * random.choice([-1.0, 1.0], count)
    q = np.concatenate(
        [random.uniform(*SHELF_Q, low), np.exp(random.uniform(*np.log(PEAK_Q), peaks)), random.uniform(*SHELF_Q, high)]
    )
    kinds: tuple[Kind, ...] = (*("low_shelf",) * low, *("peak",) * peaks, *("high_shelf",) * high)
    return Planted(kinds, *(torch.tensor(np.asarray(v), dtype=torch.float64) for v in (frequency, gain, q)))


def pink_noise(items: int, samples: int, seed: int, level: float = 0.1) -> Tensor:
    """Noise with equal power in each octave, (items, 1, samples), float32.

    Kellet's three-pole approximation of the −3 dB/octave slope.
    """
    white = np.random.default_rng(seed).standard_normal((items, 1, samples + 8192))
    b, a = [0.049922035, -0.095993537, 0.050612699, -0.004408786], [1.0, -2.494956002, 2.017265875, -0.522189400]
    pink = lfilter(b, a, white, axis=-1)[..., 8192:]
    return torch.from_numpy(level * pink / pink.std(axis=-1, keepdims=True)).float()
