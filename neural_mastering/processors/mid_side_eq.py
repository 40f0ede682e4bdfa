"""Parametric equaliser on mid and side separately."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from neural_mastering.dsp import mid_side_eq
from neural_mastering.processors.eq_bands import EqBands
from neural_mastering.processors.processor import State
from neural_mastering.processors.recursive import RecursiveProcessor
from neural_mastering.shapes import Audio, Bands


class MidSideEQ(RecursiveProcessor):
    """A low shelf, peaks and a high shelf on the mid, and another set on the side; see `dsp.mid_side_eq`.

    The bands have the ordered ranges of `ParametricEQ`. Mono audio gets the curve of the mid. Controls mean the
    curve at the design rate: rendering at another rate keeps it within 0.3 dB below 16 kHz (`dsp.rate_match`).

    Args:
        bands: number of bands of each of the two, at least 3.
        sample_rate: in Hz; of the audio to come.
        design_rate_hz: the rate at which the controls mean their curve; None takes the sample rate.
        gain_range_db: gains run over ±this.
        q_low, q_high: range of a peak's Q.
        shelf_q_high: upper end of a shelf's Q; at most 1, since above that a shelf overshoots.
        low_shelf_hz, peaks_hz, high_shelf_hz: (low, high) frequency ranges, the second of all peaks together;
            below half the design rate.
        overlap: how far a peak may leave its slot, as a fraction of the slot's log width.
    """

    name = "mid_side_eq"
    setting_names = ("bands", "design_rate_hz")
    required_settings = setting_names

    def __init__(
        self,
        bands: int = 5,
        sample_rate: float = 44_100.0,
        design_rate_hz: float | None = None,
        gain_range_db: float = 12.0,
        q_low: float = 0.5,
        q_high: float = 5.0,
        shelf_q_high: float = 1.0,
        low_shelf_hz: Sequence[float] = (25.0, 250.0),
        peaks_hz: Sequence[float] = (40.0, 13_500.0),
        high_shelf_hz: Sequence[float] = (3_000.0, 18_000.0),
        overlap: float = 0.25,
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
        super().__init__([*layout.specs("mid_"), *layout.specs("side_")], sample_rate, design_rate_hz)
        layout.check_rate(self.design_rate_hz)
        self.layout, self.kinds, self.bands = layout, layout.kinds, bands

    @classmethod
    def from_settings(cls, sample_rate: float, settings: Mapping[str, Any]) -> "MidSideEQ":
        """See `Processor`; the number of bands, and the rate in Hz at which they mean their curve."""
        return cls(int(settings["bands"]), sample_rate, settings["design_rate_hz"])

    def settings(self) -> dict[str, float | tuple[float, ...]]:
        """See `from_settings`."""
        return {"bands": self.bands, "design_rate_hz": self.design_rate_hz}

    def limits(self, key: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Those of any band of an equaliser: a model may have been trained with other ranges than the default."""
        control = key.removeprefix("mid_").removeprefix("side_")
        low, high = {
            "frequency_hz": (5.0, 0.499 * self.design_rate_hz),
            "gain_db": (-24.0, 24.0),
            "q": (0.05, 40.0),
        }[control]
        return (low,) * self.bands, (high,) * self.bands

    def rest(self) -> dict[str, Tensor]:
        """Controls (1, band) that do nothing: bands in the middle of their slots, at 0 dB."""
        return self.layout.rest("mid_") | self.layout.rest("side_")

    @cached_property
    def taps(self) -> int:
        """Length in samples of the impulse responses that training filters with."""
        return self.layout.longest_impulse_response(self.design_rate_hz)

    def initial_state(self, audio: Audio) -> Tensor:
        """Silence before the stream."""
        sections = self.bands + mid_side_eq.MOST_CORRECTIONS
        return torch.zeros(*audio.shape[:2], sections, 2, dtype=torch.float64)

    def render(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        audio: Audio,
        state: State = None,
        *,
        mid_frequency_hz: Bands,
        mid_gain_db: Bands,
        mid_q: Bands,
        side_frequency_hz: Bands,
        side_gain_db: Bands,
        side_q: Bands,
    ) -> tuple[Audio, State]:
        """Equalise; the state is the memory of the recursive filters, (batch, channel, section, 2).

        See `RecursiveProcessor` for what training does.
        """
        controls = {
            "mid_frequency_hz": mid_frequency_hz,
            "mid_gain_db": mid_gain_db,
            "mid_q": mid_q,
            "side_frequency_hz": side_frequency_hz,
            "side_gain_db": side_gain_db,
            "side_q": side_q,
        }
        return self._rendered(audio, state, controls)

    def _differentiable(self, audio: Audio, controls: Mapping[str, Tensor]) -> Audio:
        curves = _curves(controls)
        return mid_side_eq.equalize(audio, *curves, self.sample_rate, self.kinds, self.taps)

    def _stream(self, audio: Audio, state: Tensor, controls: Mapping[str, Tensor]) -> tuple[Audio, Tensor]:
        curves, rates = _curves(controls), (self.design_rate_hz, self.sample_rate)
        return mid_side_eq.equalize_stream(audio, *curves, *rates, self.kinds, state)


def _curves(controls: Mapping[str, Tensor]) -> tuple[mid_side_eq.Curve, mid_side_eq.Curve]:
    """Those of mid and side."""
    mid, side = (
        (controls[f"{part}_frequency_hz"], controls[f"{part}_gain_db"], controls[f"{part}_q"])
        for part in ("mid", "side")
    )
    return mid, side
