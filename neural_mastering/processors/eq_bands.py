"""The ordered bands of an equaliser: low shelf, peaks, high shelf, each with its own ranges."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neural_mastering.dsp import biquad
from neural_mastering.dsp.biquad import Kind
from neural_mastering.processors.control import Control

PEAK_Q_AT_REST = 0.7
"""Where in its logarithmic range (0 to 1) a peak's Q rests. The default range gives 2.5, half an octave: a peak
that starts narrow answers to what is wrong in its own slot."""


@dataclass(frozen=True)
class Slots:
    """A log-frequency range in equal slots, each widened on both sides, so that bands neither swap nor collapse.

    Attributes:
        low_hz, high_hz: ends of the whole range.
        count: number of slots.
        overlap: how far a band may leave its slot, as a fraction of the slot's log width.
    """

    low_hz: float
    high_hz: float
    count: int
    overlap: float = 0.25

    def _log_at(self, slot: float) -> float:
        low, high = math.log(self.low_hz), math.log(self.high_hz)
        return low + slot * ((high - low) / self.count)

    @property
    def lows_hz(self) -> tuple[float, ...]:
        """Lower end of each slot."""
        low = math.log(self.low_hz)
        return tuple(math.exp(max(self._log_at(i - self.overlap), low)) for i in range(self.count))

    @property
    def highs_hz(self) -> tuple[float, ...]:
        """Upper end of each slot."""
        high = math.log(self.high_hz)
        return tuple(math.exp(min(self._log_at(i + 1 + self.overlap), high)) for i in range(self.count))

    @property
    def centres_hz(self) -> tuple[float, ...]:
        """Geometric centre of each slot."""
        return tuple(math.exp(self._log_at(i + 0.5)) for i in range(self.count))


@dataclass(frozen=True)
class EqBands:
    """Low shelf, `bands` − 2 peaks and high shelf, with the ranges of their controls.

    Attributes:
        bands: number of bands, at least 3.
        gain_range_db: gains run over ±this.
        q_low, q_high: range of a peak's Q.
        shelf_q_high: upper end of a shelf's Q; at most 1, since above that a shelf overshoots.
        low_shelf_hz, peaks_hz, high_shelf_hz: (low, high) frequency ranges, the second of all peaks together.
        overlap: how far a peak may leave its slot, as a fraction of the slot's log width.

    Raises:
        ValueError: fewer than 3 bands, or a shelf Q above 1.
    """

    bands: int = 5
    gain_range_db: float = 12.0
    q_low: float = 0.5
    q_high: float = 5.0
    shelf_q_high: float = 1.0
    low_shelf_hz: Sequence[float] = (25.0, 250.0)
    peaks_hz: Sequence[float] = (40.0, 13_500.0)
    high_shelf_hz: Sequence[float] = (3_000.0, 18_000.0)
    overlap: float = 0.25

    def __post_init__(self) -> None:
        if self.bands < 3:
            raise ValueError(
                f"an equaliser needs at least 3 bands (low shelf, peak, high shelf), got {self.bands}"
            )
        if self.shelf_q_high > 1.0:
            raise ValueError(
                f"shelf_q_high must be at most 1, since shelves overshoot above; got {self.shelf_q_high}"
            )

    def check_rate(self, sample_rate: float) -> None:
        """Refuse a rate in Hz whose half the frequencies reach.

        Raises:
            ValueError: such a rate.
        """
        if max(self.peaks_hz[1], self.high_shelf_hz[1]) >= sample_rate / 2.0:
            raise ValueError(
                f"band frequencies must stay below half the sample rate, {sample_rate / 2.0:g} Hz"
            )

    @property
    def _slots(self) -> Slots:
        return Slots(self.peaks_hz[0], self.peaks_hz[1], self.bands - 2, self.overlap)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kind of each band, as in `dsp.biquad`."""
        inner: list[Kind] = ["peak"] * (self.bands - 2)
        return ("low_shelf", *inner, "high_shelf")

    @property
    def rest_hz(self) -> tuple[float, ...]:
        """Frequencies at rest: the middle of each slot."""
        low, high = self.low_shelf_hz, self.high_shelf_hz
        return (math.sqrt(low[0] * low[1]), *self._slots.centres_hz, math.sqrt(high[0] * high[1]))

    @property
    def rest_q(self) -> tuple[float, ...]:
        """Qs at rest."""
        shelf_q = math.sqrt(self.q_low * self.shelf_q_high)
        peak_q = self.q_low * (self.q_high / self.q_low) ** PEAK_Q_AT_REST
        return (shelf_q, *(peak_q,) * (self.bands - 2), shelf_q)

    def specs(self, prefix: str = "") -> list[Control]:
        """Frequency, gain and Q per band; the prefix stands before their names."""
        slots, bands, gain = self._slots, self.bands, self.gain_range_db
        lows = (self.low_shelf_hz[0], *slots.lows_hz, self.high_shelf_hz[0])
        highs = (self.low_shelf_hz[1], *slots.highs_hz, self.high_shelf_hz[1])
        q_highs = (self.shelf_q_high, *(self.q_high,) * (bands - 2), self.shelf_q_high)
        return [
            Control(f"{prefix}frequency", "hz", lows, highs, "log"),
            Control(f"{prefix}gain", "db", (-gain,) * bands, (gain,) * bands, neutral=0.0),
            Control(f"{prefix}q", "", (self.q_low,) * bands, q_highs, "log"),
        ]

    def rest(self, prefix: str = "") -> dict[str, Tensor]:
        """Controls (1, band) of bands in the middle of their slots, at 0 dB."""
        rest = {"frequency_hz": self.rest_hz, "gain_db": (0.0,) * self.bands, "q": self.rest_q}
        return {f"{prefix}{key}": torch.tensor([values]) for key, values in rest.items()}

    def longest_impulse_response(self, sample_rate: float) -> int:
        """Samples for the slowest pole that the ranges allow, so that the length never depends on a batch."""
        frequency, gain, q = self.specs()
        corners = [
            (f, g, quality)
            for f in (frequency.low, frequency.high)
            for g in (gain.low, (0.0,) * self.bands, gain.high)
            for quality in (q.low, q.high)
        ]
        frequencies, gains, qs = zip(*corners, strict=True)
        return biquad.impulse_response_length(
            np.array(frequencies), np.array(gains), np.array(qs), sample_rate, self.kinds
        )
