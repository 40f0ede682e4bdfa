"""Parametric equaliser with ordered bands: low shelf, peaks, high shelf."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from neural_mastering.dsp import biquad
from neural_mastering.dsp.biquad import Kind
from neural_mastering.processors.control import Control
from neural_mastering.processors.processor import Processor, State
from neural_mastering.shapes import Audio, Bands

Engine = Callable[..., Tensor]
"""Signature of `neural_mastering.dsp.biquad.equalize`."""

PEAK_Q_AT_REST = 0.7
"""Where in its logarithmic range (0 to 1) a peak's Q rests. The default range gives 2.5, half an octave: a peak
that starts narrow answers to what is wrong in its own slot."""


class ParametricEQ(Processor):
    """Low shelf, `bands` − 2 peaks and high shelf in series, the same curve on all channels.

    Each peak owns a slot of the log-frequency range, widened by `overlap` slots on either side, so that
    neighbours overlap but bands neither swap nor collapse on one another.

    Args:
        bands: number of bands, at least 3.
        sample_rate: in Hz; of the audio to come.
        gain_range_db: gains run over ±this.
        q_low, q_high: range of a peak's Q.
        shelf_q_high: upper end of a shelf's Q; at most 1, since above that a shelf overshoots.
        low_shelf_hz, peaks_hz, high_shelf_hz: (low, high) frequency ranges, the second of all peaks together.
        overlap: how far a peak may leave its slot, as a fraction of the slot's log width.
        engine: what filters: `dsp.biquad.equalize` or a drop-in with its signature.
    """

    name = "eq"

    def __init__(
        self,
        bands: int = 5,
        sample_rate: float = 44_100.0,
        gain_range_db: float = 12.0,
        q_low: float = 0.5,
        q_high: float = 5.0,
        shelf_q_high: float = 1.0,
        low_shelf_hz: Sequence[float] = (25.0, 250.0),
        peaks_hz: Sequence[float] = (40.0, 13_500.0),
        high_shelf_hz: Sequence[float] = (3_000.0, 18_000.0),
        overlap: float = 0.25,
        engine: Engine = biquad.equalize,
    ) -> None:
        if bands < 3:
            raise ValueError(
                f"an equaliser needs at least 3 bands (low shelf, peak, high shelf), got {bands}"
            )
        if shelf_q_high > 1.0:
            raise ValueError(
                f"shelf_q_high must be at most 1, since shelves overshoot above; got {shelf_q_high}"
            )
        if max(peaks_hz[1], high_shelf_hz[1]) >= sample_rate / 2.0:
            raise ValueError(
                f"band frequencies must stay below half the sample rate, {sample_rate / 2.0:g} Hz"
            )
        peaks = bands - 2
        low_log, high_log = math.log(peaks_hz[0]), math.log(peaks_hz[1])
        slot = (high_log - low_log) / peaks
        lows = [math.exp(max(low_log + (i - overlap) * slot, low_log)) for i in range(peaks)]
        highs = [math.exp(min(low_log + (i + 1 + overlap) * slot, high_log)) for i in range(peaks)]
        super().__init__(
            [
                Control(
                    "frequency",
                    "hz",
                    (low_shelf_hz[0], *lows, high_shelf_hz[0]),
                    (low_shelf_hz[1], *highs, high_shelf_hz[1]),
                    "log",
                ),
                Control("gain", "db", (-gain_range_db,) * bands, (gain_range_db,) * bands, neutral=0.0),
                Control("q", "", (q_low,) * bands, (shelf_q_high, *(q_high,) * peaks, shelf_q_high), "log"),
            ]
        )
        self.bands = bands
        self.sample_rate = sample_rate
        inner: list[Kind] = ["peak"] * peaks
        self.kinds: tuple[Kind, ...] = ("low_shelf", *inner, "high_shelf")
        self.rest_hz = (
            math.sqrt(low_shelf_hz[0] * low_shelf_hz[1]),
            *(math.exp(low_log + (i + 0.5) * slot) for i in range(peaks)),
            math.sqrt(high_shelf_hz[0] * high_shelf_hz[1]),
        )
        shelf_q, peak_q = math.sqrt(q_low * shelf_q_high), q_low * (q_high / q_low) ** PEAK_Q_AT_REST
        self.rest_q = (shelf_q, *(peak_q,) * peaks, shelf_q)
        self.engine = engine
        self.taps = self._longest_impulse_response()

    def _longest_impulse_response(self) -> int:
        """Length for the slowest pole that the ranges allow, so that it never depends on the batch."""
        frequency, gain, q = (self.specs[key] for key in ("frequency_hz", "gain_db", "q"))
        corners = [
            (f, g, quality)
            for f in (frequency.low, frequency.high)
            for g in (gain.low, (0.0,) * self.bands, gain.high)
            for quality in (q.low, q.high)
        ]
        frequencies, gains, qs = zip(*corners, strict=True)
        return biquad.impulse_response_length(
            np.array(frequencies), np.array(gains), np.array(qs), self.sample_rate, self.kinds
        )

    def rest(self) -> dict[str, Tensor]:
        """Controls (1, band) of an equaliser that does nothing: bands in the middle of their slots, at 0 dB."""
        rest = {"frequency_hz": self.rest_hz, "gain_db": (0.0,) * self.bands, "q": self.rest_q}
        return {key: torch.tensor([values]) for key, values in rest.items()}

    def render(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, audio: Audio, state: State = None, *, frequency_hz: Bands, gain_db: Bands, q: Bands
    ) -> tuple[Audio, State]:
        """Equalise; the state is the tail (batch, channel, taps) that rings on into the next chunk.

        A call without state still returns the tail only in evaluation mode: training has no next chunk.
        """
        settings = {"sample_rate": self.sample_rate, "kinds": self.kinds, "taps": self.taps}
        if self.training:
            return self.engine(audio, frequency_hz, gain_db, q, **settings), None
        time = audio.shape[-1]
        padded = torch.nn.functional.pad(audio, (0, self.taps))
        wet = self.engine(padded, frequency_hz, gain_db, q, **settings)
        if state is not None:
            wet = wet + torch.nn.functional.pad(state, (0, time))
        return wet[..., :time], wet[..., time:]

    def response_db(self, at_hz: Tensor, *, frequency_hz: Bands, gain_db: Bands, q: Bands) -> Tensor:
        """Level of the total response (batch, frequency) in dB at `at_hz` (frequency,)."""
        return biquad.response_db(frequency_hz, gain_db, q, at_hz, self.sample_rate, self.kinds)
