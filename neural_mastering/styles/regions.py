"""The regions of the spectrum by the names that mixers use, defined once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.units import third_octave_number

_NOMINAL = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0)
"""Of third octaves within a decade (IEC 61260-1, annex E)."""


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


def nominal_hz(hz: float) -> float:
    """The frequency by which a third octave is known: 31.5 for 31.62 Hz."""
    number = round(third_octave_number(hz))
    return round(_NOMINAL[number % 10] * 10.0 ** (number // 10), 6)


def bands_text(bands: NDArray[np.bool_]) -> str:
    """Third octaves as ranges: "25 to 40 Hz and 4000 to 16000 Hz"; empty for none."""
    chosen = np.flatnonzero(bands)
    runs = np.split(chosen, np.flatnonzero(np.diff(chosen) > 1) + 1) if chosen.size else []
    texts = []
    for run in runs:
        first, last = (f"{nominal_hz(hz):g}" for hz in CENTRES_HZ[run[[0, -1]]].tolist())
        texts.append(f"{first} to {last} Hz" if run.size > 1 else f"{first} Hz")
    return ", ".join(texts[:-1]) + (" and " if len(texts) > 1 else "") + (texts[-1] if texts else "")


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
