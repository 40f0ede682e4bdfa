"""A song with everything that the metrics read of it, each measured once."""

import math
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neural_mastering.dsp.compiled import can_compile_for
from neural_mastering.dsp.interpolator import interpolator, oversampling
from neural_mastering.dsp.k_weighting import k_weighting_sections
from neural_mastering.dsp.loudness import (
    ABSOLUTE_GATE_LUFS,
    BLOCK_MS,
    HOP_MS,
    SHORT_TERM_MS,
    gated_loudness,
    gated_range,
    k_weighted_energy,
)
from neural_mastering.dsp.ltas_error import HIGH_HZ, channel_levels_db
from neural_mastering.dsp.stereo import correlation_of_products, mid_side, width_of_energies_db
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.metrics.crest_error import crest_of
from neural_mastering.metrics.peak_to_loudness_error import ratio
from neural_mastering.metrics.true_peak import SILENT_DBTP
from neural_mastering.shapes import Audio, Frames, PerItem
from neural_mastering.units import gain_to_db

_PIECE_SAMPLES = 1 << 18


class Signal:
    """One item (1, channel, time) and its readings.

    Rows of a reading are the channels (left, right; or the one channel of mono), then mid and side of stereo audio.

    Args:
        audio: (1, channel, time), one or two channels, float32 or float64.
        sample_rate: in Hz.
        high_hz: upper end of the third octaves.

    Raises:
        ValueError: another shape.
    """

    def __init__(self, audio: Audio, sample_rate: float, high_hz: float = HIGH_HZ) -> None:
        if audio.ndim != 3 or audio.shape[0] != 1 or audio.shape[1] not in (1, 2):
            raise ValueError(f"expected one item (1, 1 or 2 channels, time); got {tuple(audio.shape)}")
        self.audio, self.sample_rate, self.high_hz = audio, sample_rate, high_hz

    @property
    def channels(self) -> int:
        """1 or 2."""
        return self.audio.shape[1]

    @property
    def samples(self) -> int:
        """Length in samples."""
        return self.audio.shape[-1]

    @cached_property
    def rows(self) -> Float[Tensor, "row time"]:
        """Left, right, mid, side; or the one channel."""
        if self.channels == 1:
            return self.audio[0]
        return torch.cat((self.audio[0], mid_side(self.audio)[0]))

    @cached_property
    def _cells(self) -> Frames:
        """K-weighted energies of 100 ms, by row."""
        rows = self.rows
        if not can_compile_for(rows):
            return torch.cat(
                [k_weighted_energy(row[None, None], self.sample_rate, HOP_MS, HOP_MS) for row in rows]
            )
        from neural_mastering.dsp import reading_kernels  # loads numba

        cell = round(HOP_MS * self.sample_rate / 1000.0)
        sections = k_weighting_sections(self.sample_rate)
        sums = np.empty((len(rows), self.samples // cell))
        for row, out in zip(rows, sums, strict=True):
            reading_kernels.weighted_cells(row.contiguous().numpy(), cell, sections, out)
        return torch.from_numpy(sums / cell)

    def _windows(self, length_ms: float) -> Frames:
        """Energies of windows every 100 ms: of the programme, and by row."""
        cells = round(length_ms / HOP_MS)
        if self._cells.shape[-1] < cells:
            energy = self._cells[:, :0]
        else:
            energy = self._cells.unfold(-1, cells, 1).mean(dim=-1)
        return torch.cat((energy[: self.channels].sum(dim=0, keepdim=True), energy))

    @cached_property
    def lufs(self) -> PerItem:
        """Integrated loudness: of the programme, then by row; −inf on silence."""
        return gated_loudness(self._windows(BLOCK_MS))

    @property
    def floored_lufs(self) -> PerItem:
        """The same, −70 LUFS at the least."""
        return self.lufs.clamp(min=ABSOLUTE_GATE_LUFS)

    @cached_property
    def lra(self) -> PerItem:
        """Loudness range in LU: of the programme, then by row."""
        return gated_range(self._windows(SHORT_TERM_MS))

    @cached_property
    def true_peak(self) -> PerItem:
        """True peak in dBTP: of the programme, then by row; −120 on silence."""
        rows = self._true_peaks_db().clamp(min=SILENT_DBTP)
        return torch.cat((rows[: self.channels].amax(dim=0, keepdim=True), rows))

    def _true_peaks_db(self) -> Float[Tensor, " row"]:
        if not can_compile_for(self.audio):
            return true_peak_db(self.rows[:, None], self.sample_rate)
        from neural_mastering.dsp import peak_kernels  # loads numba

        phases, peaks = interpolator(oversampling(self.sample_rate)), []
        for row in self.rows:
            if row.isnan().any():  # comparisons would pass it over
                peaks.append(math.nan)
                continue
            line = peak_kernels.padded(row[None].double().numpy())[0]
            stop = len(line) - peak_kernels.FUTURE
            peaks.append(peak_kernels.raise_peak(line, peak_kernels.PAST - 1, stop, phases, 0.0))
        return gain_to_db(torch.tensor(peaks, dtype=torch.float64).clamp(min=1e-30)).to(self.audio.dtype)

    @property
    def plr(self) -> PerItem:
        """Peak-to-loudness ratio in dB: of the programme, then by row; NaN on silence."""
        peak = torch.where(self.true_peak > SILENT_DBTP, self.true_peak, -torch.inf)
        return ratio(peak, self.lufs)

    @cached_property
    def gram(self) -> Float[Tensor, "row row"]:
        """Σ a·b of the channels, float64."""
        return products_of(self.audio[0], self.audio[0])

    @cached_property
    def energies(self) -> PerItem:
        """Σ x² of the programme (all channels), then by row, float64."""
        own = self.gram.diagonal()
        if self.channels == 1:
            return torch.cat((own, own))
        cross = 2.0 * self.gram[0, 1]
        sides = torch.stack(((own.sum() + cross) / 4.0, (own.sum() - cross).clamp(min=0.0) / 4.0))
        return torch.cat((own.sum()[None], own, sides))

    @cached_property
    def crest(self) -> PerItem:
        """Crest factor in dB: of the programme, then by row; NaN on silence."""
        peaks = self.rows.abs().amax(dim=-1).double()
        peaks = torch.cat((peaks[: self.channels].amax(dim=0, keepdim=True), peaks))
        counts = torch.full_like(peaks, self.samples)
        counts[0] *= self.channels
        return crest_of(peaks, self.energies / counts)

    def on_cpu(self) -> "Signal":
        """The same signal in the CPU's memory."""
        return (
            self
            if self.audio.device.type == "cpu"
            else Signal(self.audio.cpu(), self.sample_rate, self.high_hz)
        )

    @property
    def width_db(self) -> PerItem:
        """Stereo width in dB, (1,); only of stereo."""
        return width_of_energies_db(self.energies[3:4], self.energies[4:5])

    @property
    def correlation(self) -> PerItem:
        """Correlation of left and right, (1,); only of stereo."""
        g = self.gram
        return correlation_of_products(g[:1, 0], g[1:, 1], g[:1, 1])

    @cached_property
    def third_octaves_db(self) -> Float[Tensor, "row third"]:
        """Third-octave levels by row."""
        return channel_levels_db(self.rows[None], self.sample_rate, high_hz=self.high_hz)[0]


def products_of(a: Float[Tensor, "a time"], b: Float[Tensor, "b time"]) -> Float[Tensor, "a b"]:
    """Σ over time of all products of channels, float64, piece by piece."""
    total = a.new_zeros(a.shape[0], b.shape[0], dtype=torch.float64)
    for x, y in zip(a.split(_PIECE_SAMPLES, dim=-1), b.split(_PIECE_SAMPLES, dim=-1), strict=True):
        total += x.double() @ y.double().T
    return total
