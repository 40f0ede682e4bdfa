"""Crest by octave band: how far the peaks of a band stand above its mean power, read from a stream.

Compression and limiting lower it, gain and equalisers hardly move it. The crest of a whole song grows with its
length, since one hit is enough; so it is read in windows of 3 s and averaged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import no_type_check

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.units import db_to_power, power_to_db, third_octave_hz

Float64s = NDArray[np.float64]

OCTAVES_HZ: Float64s = third_octave_hz(np.arange(15.0, 43.0, 3.0))
"""Octave bands from 31.5 Hz to 16 kHz (IEC 61260-1)."""

WINDOW_MS = 3000.0
GATE_DB = 20.0
"""Windows whose band lies this far below its mean power don't count: fades and gaps."""

_EMPTY_DB = -60.0
"""A band this far below the loudest one holds nothing worth a crest."""

_HIGHEST_EDGE = 0.49
"""Of the sample rate: a band that reaches beyond ends there; one whose centre lies beyond is left out."""


class BandCrestMeter:
    """Reads blocks (channel, time); `finish` gives the crest of each octave band.

    Each band is a Butterworth band-pass of 4th order (−3 dB at the edges of the octave).

    Args:
        sample_rate: in Hz, 8000 or more.
        channels: 1 or 2.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._window = max(round(WINDOW_MS * sample_rate / 1000.0), 1)
        self._sections = octave_sections(sample_rate)
        bands = len(self._sections)
        self._state = np.zeros((channels, 2, 2, bands))
        self._peak, self._power = np.zeros(bands), np.zeros(bands)
        self._place = 0
        self._peaks: list[Float64s] = []
        self._powers: list[Float64s] = []

    def push(self, block: Block) -> None:
        """Read the next block."""
        start, time = 0, block.shape[1]
        while start < time:
            stop = min(start + self._window - self._place, time)
            _filter_bands(block, start, stop, self._sections, self._state, self._peak, self._power)
            self._place += stop - start
            start = stop
            if self._place == self._window:
                self._close()

    def finish(self) -> Float64s:
        """(octave,) crest in dB: 10·log10(max x² / mean x²), the mean over windows; NaN for a band without sound.

        The peak is that of the louder channel, the mean that of both. A rest shorter than half a window is left
        out, unless there is no other.
        """
        if self._place and (not self._powers or self._place >= self._window // 2):
            self._close()
        crest_db = np.full(len(OCTAVES_HZ), np.nan)
        if not self._powers:
            return crest_db
        peak, power = np.stack(self._peaks), np.stack(self._powers)
        mean = power.mean(axis=0)
        for band in np.flatnonzero((mean > mean.max() * db_to_power(_EMPTY_DB)) & (mean > 1e-15)):
            heard = power[:, band] > mean[band] * db_to_power(-GATE_DB)
            ratios: Float64s = np.asarray(peak[heard, band] / power[heard, band], dtype=np.float64)
            crest_db[band] = np.mean(power_to_db(ratios))
        return crest_db

    def _close(self) -> None:
        self._peaks.append(self._peak.copy())
        self._powers.append(self._power / (self._place * len(self._state)))
        self._peak[:], self._power[:], self._place = 0.0, 0.0, 0


def band_crest_of(blocks: Iterable[Block], sample_rate: int) -> Float64s:
    """Crest (octave,) of a song from its blocks."""
    meter: BandCrestMeter | None = None
    for block in blocks:
        meter = meter or BandCrestMeter(sample_rate, len(block))
        meter.push(block)
    return (meter or BandCrestMeter(sample_rate, 1)).finish()


def octave_sections(sample_rate: float) -> Float64s:
    """Second-order sections (octave, 2, 6) of the band-passes that this rate can hold, low to high."""
    from scipy.signal import butter  # takes half a second to load

    highest_hz, half = _HIGHEST_EDGE * sample_rate, third_octave_hz(1.5)
    kept = OCTAVES_HZ[highest_hz > OCTAVES_HZ]
    edges = [(centre / half, min(centre * half, highest_hz)) for centre in kept]
    return np.stack(
        [
            np.asarray(butter(2, edge, "bandpass", fs=sample_rate, output="sos"), dtype=np.float64)
            for edge in edges
        ]
    )


@njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")
@no_type_check
def _filter_bands(x, start, stop, sections, state, peak, power):
    """Filter samples [start, stop) by all bands; raise `peak` (band,) to the largest square, add to `power`.

    The bands are the innermost loop, so that it runs in vector registers. State is (channel, section, 2, band).
    """
    bands = sections.shape[0]
    coefficients = np.empty((2, 5, bands))
    for s in range(2):
        for b in range(bands):
            for k in range(3):
                coefficients[s, k, b] = sections[b, s, k]
            coefficients[s, 3, b], coefficients[s, 4, b] = sections[b, s, 4], sections[b, s, 5]
    p, q = coefficients[0], coefficients[1]
    for c in range(x.shape[0]):
        u, v = state[c, 0], state[c, 1]
        for n in range(start, stop):
            value = x[c, n]
            for b in range(bands):
                y = p[0, b] * value + u[0, b]
                u[0, b] = p[1, b] * value - p[3, b] * y + u[1, b]
                u[1, b] = p[2, b] * value - p[4, b] * y
                w = q[0, b] * y + v[0, b]
                v[0, b] = q[1, b] * y - q[3, b] * w + v[1, b]
                v[1, b] = q[2, b] * y - q[4, b] * w
                square = w * w
                power[b] += square
                peak[b] = max(peak[b], square)
