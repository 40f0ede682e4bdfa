"""Parametric equaliser with ordered bands: low shelf, peaks, high shelf."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import torch
from torch import Tensor

from neural_mastering.dsp import biquad
from neural_mastering.processors.eq_bands import EqBands
from neural_mastering.processors.processor import Processor, State
from neural_mastering.shapes import Audio, Bands

Engine = Callable[..., Tensor]
"""Signature of `neural_mastering.dsp.biquad.equalize`."""


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
    setting_names = tuple(field.name for field in fields(EqBands))

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
        layout = EqBands(
            bands,
            gain_range_db,
            q_low,
            q_high,
            shelf_q_high,
            tuple(low_shelf_hz),
            tuple(peaks_hz),
            tuple(high_shelf_hz),
            overlap,
        )
        layout.check_rate(sample_rate)
        super().__init__(layout.specs())
        self.layout = layout
        self.bands = bands
        self.sample_rate = sample_rate
        self.kinds = layout.kinds
        self.engine = engine
        self.taps = layout.longest_impulse_response(sample_rate)

    @classmethod
    def from_settings(cls, sample_rate: float, settings: Mapping[str, Any]) -> "ParametricEQ":
        """See `Processor`; the fields of `EqBands`."""
        return cls(sample_rate=sample_rate, **{**settings, "bands": int(settings.get("bands", 5))})

    def settings(self) -> dict[str, float | tuple[float, ...]]:
        """See `from_settings`."""
        return asdict(self.layout)

    def rest(self) -> dict[str, Tensor]:
        """Controls (1, band) of an equaliser that does nothing: bands in the middle of their slots, at 0 dB."""
        return self.layout.rest()

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
