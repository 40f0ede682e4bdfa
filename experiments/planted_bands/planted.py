"""Planted equalisers: the truth is a set of k bands of the 10-band layout, and a head must find it again."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.signal import lfilter
from torch import Tensor

from neural_mastering.dsp import biquad
from neural_mastering.dsp.biquad import Kind

PEAKS_HZ, LOW_SHELF_HZ, HIGH_SHELF_HZ = (45.0, 12_500.0), (34.0, 150.0), (4_500.0, 13_500.0)
GAIN_DB, PEAK_Q, SHELF_Q = (4.0, 10.0), (1.4, 4.0), (0.6, 0.9)
PEAK_SPACING_OCTAVES, SHELF_SPACING_OCTAVES = 1.0, 0.5
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
        f, g, q = (p.to(audio).expand(audio.shape[0], -1) for p in (self.frequency_hz, self.gain_db, self.q))
        return biquad.equalize(audio, f, g, q, sample_rate, self.kinds)

    def curve_db(self, sample_rate: float) -> Tensor:
        """Level in dB at `GRID_HZ`."""
        f, g, q = (p[None] for p in (self.frequency_hz, self.gain_db, self.q))
        return biquad.response_db(f, g, q, GRID_HZ, sample_rate, self.kinds)[0]


def plant(count: int, seed: int) -> Planted:
    """Draw `count` bands in the layout's order: low shelf or none, peaks, high shelf or none.

    Frequencies are uniform in octaves under these rules: peaks lie an octave apart or more, shelves half an
    octave or more outside the outermost peaks and where shelves belong. |gain| is at least 4 dB.
    """
    random = np.random.default_rng([count, seed])
    choices = [(low, high) for low in (0, 1) for high in (0, 1) if 0 < count - low - high <= MOST_PEAKS]
    low, high = choices[random.integers(len(choices))]
    peaks = count - low - high
    layout: list[tuple[Kind, int]] = [("low_shelf", low), ("peak", peaks), ("high_shelf", high)]
    kinds: tuple[Kind, ...] = tuple(kind for kind, number in layout for _ in range(number))
    spacing = [
        PEAK_SPACING_OCTAVES if {a, b} == {"peak"} else SHELF_SPACING_OCTAVES for a, b in pairwise(kinds)
    ]
    offset = np.concatenate([[0.0], np.cumsum(spacing)])
    limits = {"low_shelf": LOW_SHELF_HZ, "peak": PEAKS_HZ, "high_shelf": HIGH_SHELF_HZ}
    lowest, highest = (np.array([limits[kind][end] for kind in kinds]) for end in (0, 1))
    start, end = np.log2(lowest[0]), np.log2(highest[-1])
    while True:
        frequency = 2.0 ** (start + np.sort(random.uniform(0.0, end - start - offset[-1], count)) + offset)
        if np.all((frequency >= lowest) & (frequency <= highest)):
            break
    gain = random.uniform(*GAIN_DB, count) * random.choice([-1.0, 1.0], count)
    peak_q = np.exp(random.uniform(np.log(PEAK_Q[0]), np.log(PEAK_Q[1]), count))
    shelf_q = random.uniform(*SHELF_Q, count)
    q = np.where([kind == "peak" for kind in kinds], peak_q, shelf_q)
    return Planted(kinds, *(torch.from_numpy(v) for v in (frequency, gain, q)))


def pink_noise(items: int, samples: int, seed: int, level: float = 0.1) -> Tensor:
    """Noise with equal power in each octave, (items, 1, samples), float32.

    Kellet's three-pole approximation of the −3 dB/octave slope.
    """
    white = np.random.default_rng(seed).standard_normal((items, 1, samples + 8192))
    b, a = (
        [0.049922035, -0.095993537, 0.050612699, -0.004408786],
        [1.0, -2.494956002, 2.017265875, -0.522189400],
    )
    pink = np.asarray(lfilter(b, a, white, axis=-1))[..., 8192:]
    return torch.from_numpy(level * pink / pink.std(axis=-1, keepdims=True)).float()
