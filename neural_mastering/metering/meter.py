"""Loudness, true peak, width and level of a stream, block by block, without torch and in flat memory.

The readings are those of `dsp.loudness` and `dsp.true_peak` (tests hold them together): the same filters, windows,
gates, interpolator and refinement.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp import peak_kernels, stream_kernels
from neural_mastering.dsp.interpolator import interpolator, oversampling
from neural_mastering.dsp.k_weighting import k_weighting_sections
from neural_mastering.units import db_to_power, gain_to_db, power_to_db

BLOCK_MS, SHORT_TERM_MS, HOP_MS = 400.0, 3000.0, 100.0
CLIP_LEVEL = 0.9999
"""Three equal samples in a row at this or above count as clipped; floating point may pass it unharmed."""

_OFFSET_LU, _ABSOLUTE_GATE_LUFS = -0.691, -70.0
_SILENT_ENERGY = 1e-20


@dataclass(frozen=True)
class Readings:
    """What a meter has read of a whole stream.

    Attributes:
        sample_rate: in Hz.
        frames: samples per channel.
        hop_energy: K-weighted energy of 400 ms blocks every 100 ms, (frame,).
        short_energy: the same of 3 s windows.
        true_peak_db: dBTP, −inf for silence.
        channel_peak: largest sample of each channel.
        channel_mean: mean of each channel (direct current).
        channel_power: mean square of each channel.
        cross_power: mean of left · right (of the square for mono).
        clipped_samples: samples in runs of three or more of one value at full scale or above, at the peak of their
            channel.
    """

    sample_rate: int
    frames: int
    hop_energy: NDArray[np.float64]
    short_energy: NDArray[np.float64]
    true_peak_db: float
    channel_peak: tuple[float, ...]
    channel_mean: tuple[float, ...]
    channel_power: tuple[float, ...]
    cross_power: float
    clipped_samples: int

    @cached_property
    def lufs(self) -> float:
        """Integrated loudness, −inf for silence and for less than 400 ms."""
        return gated_loudness(self.hop_energy)

    @property
    def momentary_lufs(self) -> NDArray[np.float64]:
        """Loudness of 400 ms every 100 ms."""
        return to_lufs(self.hop_energy)

    @property
    def short_term_lufs(self) -> NDArray[np.float64]:
        """Loudness of 3 s every 100 ms."""
        return to_lufs(self.short_energy)

    @cached_property
    def lra(self) -> float:
        """Loudness range in LU after EBU Tech 3342; 0 where nothing passes the gates."""
        energy = self.short_energy[_above_gates(self.short_energy, relative_lu=-20.0)]
        if not energy.size:
            return 0.0
        ordered, last = np.sort(energy), energy.size - 1
        low, high = (ordered[(last * percent + 50) // 100] for percent in (10, 95))
        return power_to_db(float(high / low))

    @property
    def sample_peak_db(self) -> float:
        """Largest sample in dBFS."""
        return gain_to_db(max(self.channel_peak))

    @property
    def plr_db(self) -> float:
        """Peak to loudness ratio: true peak less integrated loudness."""
        return self.true_peak_db - self.lufs if math.isfinite(self.lufs) else math.nan

    @property
    def width_db(self) -> float:
        """Level of the side less that of the mid; −inf for mono, NaN for silence."""
        if len(self.channel_power) == 1:
            return -math.inf
        power, cross = sum(self.channel_power), 2.0 * self.cross_power
        mid, side = max(power + cross, 0.0), max(power - cross, 0.0)
        if power <= 0.0:
            return math.nan
        # rounding of the sums leaves about 1e-16 of the power
        if side <= 1e-13 * power:
            return -math.inf
        return power_to_db(side / mid) if mid > 1e-13 * power else math.inf

    @property
    def correlation(self) -> float:
        """Of left and right; 1 for mono, NaN where a channel is silent."""
        if len(self.channel_power) == 1:
            return 1.0
        left, right = self.channel_power
        return self.cross_power / math.sqrt(left * right) if left > 0.0 and right > 0.0 else math.nan

    def summary(self) -> dict[str, float]:
        """The numbers of the report by name."""
        momentary, short = self.momentary_lufs, self.short_term_lufs
        return {
            "lufs": self.lufs,
            "short_term_max_lufs": float(short.max()) if short.size else -math.inf,
            "momentary_max_lufs": float(momentary.max()) if momentary.size else -math.inf,
            "lra": self.lra,
            "true_peak_db": self.true_peak_db,
            "sample_peak_db": self.sample_peak_db,
            "plr_db": self.plr_db,
            "width_db": self.width_db,
            "correlation": self.correlation,
            "duration_s": self.frames / self.sample_rate,
        }


class Meter:
    """Reads blocks (channel, time); `finish` gives the readings.

    Args:
        sample_rate: in Hz, 8000 or more.
        channels: 1 or 2.
        with_true_peak: leave it out where only loudness is asked for.
    """

    def __init__(self, sample_rate: int, channels: int, with_true_peak: bool = True) -> None:
        self.sample_rate, self.channels = sample_rate, channels
        self._sections = k_weighting_sections(sample_rate)
        self._state = np.zeros((channels, 2, 2))
        window, short, hop = (round(ms * sample_rate / 1000.0) for ms in (BLOCK_MS, SHORT_TERM_MS, HOP_MS))
        self._window, self._short, self._hop = window, short, hop
        # A window is some hops and a rest: the energies of these pieces of each hop give all windows.
        self._edges = sorted({window % hop, short % hop, hop} - {0})
        self._cells: list[float] = []
        self._open, self._place, self._edge = 0.0, 0, 0
        self._frames = 0
        self._totals = np.zeros((channels, 7))
        self._phases = interpolator(oversampling(sample_rate)) if with_true_peak else None
        self._peaks = [0.0] * channels
        self._tail = np.zeros((channels, peak_kernels.PAST + peak_kernels.FUTURE))

    def push(self, block: Block) -> None:
        """Read the next block."""
        if not block.shape[1]:
            return
        self._frames += block.shape[1]
        stream_kernels.tally(block, CLIP_LEVEL, self._totals)
        self._energies(block)
        if self._phases is not None:
            self._true_peaks(block)

    def finish(self) -> Readings:
        """The readings of all blocks so far; the meter is used up."""
        if self._phases is not None:
            self._true_peaks(np.zeros((self.channels, peak_kernels.PAST + peak_kernels.FUTURE)))
        count, totals = max(self._frames, 1), self._totals
        return Readings(
            sample_rate=self.sample_rate,
            frames=self._frames,
            hop_energy=self._windows(self._window),
            short_energy=self._windows(self._short),
            true_peak_db=gain_to_db(max(self._peaks)) if self._phases is not None else math.nan,
            channel_peak=tuple(totals[:, stream_kernels.PEAK].tolist()),
            channel_mean=tuple((totals[:, stream_kernels.SUM] / count).tolist()),
            channel_power=tuple((totals[:, stream_kernels.SQUARES] / count).tolist()),
            cross_power=float(totals[0, stream_kernels.CROSS] / count),
            clipped_samples=int(totals[:, stream_kernels.CLIPPED].sum()),
        )

    def _energies(self, block: Block) -> None:
        start, time = 0, block.shape[1]
        while start < time:
            edge = self._edges[self._edge]
            stop = min(start + edge - self._place, time)
            self._open += stream_kernels.weighted_energy(block, start, stop, self._sections, self._state)
            self._place += stop - start
            start = stop
            if self._place == edge:
                self._cells.append(self._open)
                self._open = 0.0
                self._edge = (self._edge + 1) % len(self._edges)
                self._place %= self._hop

    def _windows(self, window: int) -> NDArray[np.float64]:
        """Mean energy of every whole window."""
        frames = (self._frames - window) // self._hop + 1
        if frames < 1:
            return np.zeros(0)
        per_hop = len(self._edges)
        whole, rest = divmod(window, self._hop)
        cells = np.array(self._cells)
        cells = np.pad(cells, (0, -cells.size % per_hop)).reshape(-1, per_hop)
        part = cells[:, : self._edges.index(rest) + 1].sum(axis=1) if rest else np.zeros(len(cells))
        hops = np.lib.stride_tricks.sliding_window_view(cells.sum(axis=1), whole)[:frames].sum(axis=1)
        tail = np.pad(part[whole:], (0, frames))[:frames]
        return (hops + tail) / window

    def _true_peaks(self, block: Block) -> None:
        assert self._phases is not None
        before, after = peak_kernels.PAST, peak_kernels.FUTURE
        joined = np.concatenate([self._tail, block], axis=1)
        for c in range(self.channels):
            self._peaks[c] = peak_kernels.raise_peak(
                joined[c], before, joined.shape[1] - after, self._phases, self._peaks[c]
            )
        self._tail = joined[:, joined.shape[1] - before - after :].copy()


def gated_loudness(energy: NDArray[np.float64], relative_lu: float = -10.0) -> float:
    """Integrated loudness in LUFS of block energies (frame,), −inf where no block passes the gates."""
    kept = energy[_above_gates(energy, relative_lu)]
    return float(to_lufs(kept.mean(keepdims=True))[0]) if kept.size else -math.inf


def to_lufs(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """−0.691 + 10·log10(energy), −inf for silence."""
    loud = energy > _SILENT_ENERGY
    return np.where(loud, _OFFSET_LU + power_to_db(np.where(loud, energy, 1.0)), -math.inf)


def _above_gates(energy: NDArray[np.float64], relative_lu: float) -> NDArray[np.bool_]:
    audible = energy > db_to_power(_ABSOLUTE_GATE_LUFS - _OFFSET_LU)
    if not audible.any():
        return audible
    return audible & (energy > energy[audible].mean() * db_to_power(relative_lu))
