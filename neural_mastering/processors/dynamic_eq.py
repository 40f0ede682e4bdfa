"""Dynamic equaliser."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neural_mastering.dsp import biquad, dynamic_eq
from neural_mastering.dsp.reference_level import REFERENCE_DBFS
from neural_mastering.processors.control import Control
from neural_mastering.processors.eq_bands import Slots
from neural_mastering.processors.memory import pack, unpack
from neural_mastering.processors.processor import State
from neural_mastering.processors.recursive import RecursiveProcessor
from neural_mastering.shapes import Audio, Bands

FREQUENCIES_HZ = (60.0, 16_000.0)
QS = (0.5, 8.0)

REST = {"q": 2.0, "threshold_db": -20.0, "range_db": 0.0, "attack_ms": 5.0, "release_ms": 100.0}
"""Where a band waits with its range at 0: settings that do something as soon as it grows."""


class DynamicEQ(RecursiveProcessor):
    """Peaking bands whose gain follows the level in the band; see `dsp.dynamic_eq`.

    With a negative range a band turns down what exceeds its threshold (de-essing, resonances), with a positive one
    it lifts that. Bands are in series and each has its own slot of the frequencies. Controls per band: frequency
    60…16,000 Hz, Q 0.5…8, threshold −60…0 dB, range −12…+6 dB, attack 0.5…100 ms, release 10…1000 ms.

    A range of 0 dB changes no bit, and half the range is half the effect in dB. Controls mean the
    curve at the design rate. Of a design at 44.1 kHz, rendering at 48…192 kHz keeps it within 0.1 dB below 16 kHz,
    and at 32 kHz within 1 dB below 12.8 kHz; see `dsp.band_pass.filter_at_rate` for other rates.

    Args:
        bands: 1 or more.
        sample_rate: in Hz; of the audio to come.
        design_rate_hz: the rate at which frequency and Q mean their curve; None takes the sample rate.
        reference_dbfs: where a threshold of 0 dB stands, in dBFS of the band's mean square. The chain brings the
            loudness of the song to `REFERENCE_DBFS`, so that by default thresholds are relative to it.

    Raises:
        ValueError: no band, or a design rate below 32 kHz, whose half the frequencies would reach.
    """

    name = "dynamic_eq"
    hears_level = True
    setting_names = ("bands", "design_rate_hz", "reference_dbfs")

    def __init__(
        self,
        bands: int = 1,
        sample_rate: float = 44_100.0,
        design_rate_hz: float | None = None,
        reference_dbfs: float = REFERENCE_DBFS,
    ) -> None:
        if bands < 1:
            raise ValueError(f"a dynamic equaliser needs 1 band or more, got {bands}")
        slots = Slots(*FREQUENCIES_HZ, bands)
        specs = [
            Control("frequency", "hz", slots.lows_hz, slots.highs_hz, "log"),
            Control("q", "", (QS[0],) * bands, (QS[1],) * bands, "log"),
            Control("threshold", "db", (-60.0,) * bands, (0.0,) * bands),
            Control("range", "db", (-12.0,) * bands, (6.0,) * bands, neutral=0.0, reaches_ends=True),
            Control("attack", "ms", (0.5,) * bands, (100.0,) * bands, "log"),
            Control("release", "ms", (10.0,) * bands, (1000.0,) * bands, "log"),
        ]
        super().__init__(specs, sample_rate, design_rate_hz)
        if FREQUENCIES_HZ[1] >= self.design_rate_hz / 2.0:
            raise ValueError(
                f"the dynamic equaliser's bands reach {FREQUENCIES_HZ[1]:g} Hz: its design rate must be above "
                f"{2.0 * FREQUENCIES_HZ[1]:g} Hz, got {self.design_rate_hz:g} Hz"
            )
        self.bands, self.reference_dbfs = bands, reference_dbfs
        self.rest_hz = slots.centres_hz

    @classmethod
    def from_settings(cls, sample_rate: float, settings: Mapping[str, Any]) -> "DynamicEQ":
        """See `Processor`; bands, the design rate in Hz and the reference in dBFS."""
        return cls(
            int(settings.get("bands", 1)),
            sample_rate,
            settings.get("design_rate_hz"),
            settings.get("reference_dbfs", REFERENCE_DBFS),
        )

    def limits(self, key: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Those of the ranges; a person may set any band to any frequency, not only inside its slot."""
        if key != "frequency_hz":
            return super().limits(key)
        return (FREQUENCIES_HZ[0],) * self.bands, (FREQUENCIES_HZ[1],) * self.bands

    def rest(self) -> dict[str, Tensor]:
        """Range 0 and settings that are ready to work, in the middle of each slot."""
        ready = {key: torch.full((1, self.bands), value) for key, value in REST.items()}
        return super().rest() | ready | {"frequency_hz": torch.tensor([self.rest_hz])}

    @cached_property
    def taps(self) -> int:
        """Samples for the slowest band-pass that the ranges allow, at −110 dB."""
        slowest = np.array([[FREQUENCIES_HZ[0]], [FREQUENCIES_HZ[1]]])
        return biquad.impulse_response_length(
            slowest, np.zeros_like(slowest), np.full_like(slowest, QS[1]), self.design_rate_hz, ["peak"]
        )

    def initial_state(self, audio: Audio) -> Tensor:
        """Silence before the stream, no band at work."""
        batch, channels, _ = audio.shape
        return torch.zeros(batch, self.bands * (3 * channels + 1), dtype=torch.float64)

    def render(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        audio: Audio,
        state: State = None,
        *,
        frequency_hz: Bands,
        q: Bands,
        threshold_db: Bands,
        range_db: Bands,
        attack_ms: Bands,
        release_ms: Bands,
    ) -> tuple[Audio, State]:
        """Process; the state is the memory of the band-passes and how far each band is open.

        See `RecursiveProcessor` for what training does.
        """
        controls = {
            "frequency_hz": frequency_hz,
            "q": q,
            "threshold_dbfs": threshold_db + self.reference_dbfs,
            "range_db": range_db,
            "attack_ms": attack_ms,
            "release_ms": release_ms,
        }
        return self._rendered(audio, state, controls)

    def _differentiable(self, audio: Audio, controls: Mapping[str, Tensor]) -> Audio:
        for band in range(self.bands):
            own = {key: value[:, band] for key, value in controls.items()}
            audio = dynamic_eq.render_band(audio, **own, sample_rate=self.sample_rate, taps=self.taps)
        return audio

    def _stream(self, audio: Audio, state: Tensor, controls: Mapping[str, Tensor]) -> tuple[Audio, Tensor]:
        memory, depth = unpack(state, (self.bands, audio.shape[1], 3), (self.bands,))
        rendered, memory, depth = dynamic_eq.render_stream(
            audio,
            **controls,
            design_rate_hz=self.design_rate_hz,
            sample_rate=self.sample_rate,
            memory=memory,
            depth=depth,
        )
        return rendered, pack(memory, depth)
