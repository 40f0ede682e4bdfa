"""The regions of the spectrum by the names that mixers use, defined once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import CENTRES_HZ


@dataclass(frozen=True)
class Region:
    """A part of the spectrum.

    Attributes:
        name: such as "low mids".
        low_hz, high_hz: its edges.
    """

    name: str
    low_hz: float
    high_hz: float

    @property
    def bands(self) -> NDArray[np.bool_]:
        """(third,) the third octaves whose centres lie in it."""
        return (self.low_hz <= CENTRES_HZ) & (self.high_hz > CENTRES_HZ)

    @property
    def span(self) -> str:
        """Its edges as text: "30–60 Hz", "2–5 kHz"."""
        if self.low_hz >= 1000.0:
            return f"{self.low_hz / 1000.0:g}–{self.high_hz / 1000.0:g} kHz"
        if self.high_hz >= 1000.0:
            return f"{self.low_hz:g} Hz–{self.high_hz / 1000.0:g} kHz"
        return f"{self.low_hz:g}–{self.high_hz:g} Hz"


REGIONS: tuple[Region, ...] = (
    Region("sub", 30.0, 60.0),
    Region("bass", 60.0, 120.0),
    Region("upper bass", 120.0, 250.0),
    Region("low mids", 250.0, 500.0),
    Region("mids", 500.0, 2_000.0),
    Region("presence", 2_000.0, 5_000.0),
    Region("treble", 5_000.0, 10_000.0),
    Region("air", 10_000.0, 18_000.0),
)
