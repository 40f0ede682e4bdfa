"""Traces that generated music often has: a hard edge, steady lines at 10 to 14 kHz, hiss at the end.

Each is a measurement of the song; none says how the song was made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.units import power_to_db

LINES_FROM_HZ, LINES_TO_HZ = 10_000.0, 14_000.0
STANDS_OUT_DB, OFTEN = 6.0, 0.9
"""A line stands out of the mean level of the 350 Hz around it by so much, in so large a part of the song's windows;
noise does in a ninth of them."""

FEWEST_LINES = 4
QUIETEST_LINE_DB = -100.0
"""Mean square of the quietest line in dBFS: what rounding to 16 or 24 bits leaves of a pure tone lies below it."""

_FEWEST_WINDOWS = 20
_AROUND_HZ, _APART_HZ = 350.0, 40.0

HISS_LONGEST_DB, HISS_LOUDEST_DB = -85.0, -45.0
_HISS_BELOW_SONG_DB, _SHORTEST_S, _FRAME_S = -30.0, 0.5, 0.05
_STEADY_DB, _FLAT_DB = 3.0, -6.0
_HISS_FROM_HZ, _HISS_TO_HZ = 2_000.0, 10_000.0


@dataclass(frozen=True)
class SteadyLines:
    """Narrow lines that last through the song.

    Attributes:
        frequencies_hz: of the lines, rising.
        highest_db: how far the highest stands over its surroundings.
        band_db: mean square of the song from 10 to 14 kHz, in dBFS.
    """

    frequencies_hz: tuple[float, ...]
    highest_db: float
    band_db: float


@dataclass(frozen=True)
class TailHiss:
    """Steady noise under the end.

    Attributes:
        level_db: its level in dBFS (mean square).
        seconds: how long it lasts.
    """

    level_db: float
    seconds: float


@dataclass(frozen=True)
class Artefacts:
    """What was found; None where nothing was.

    Attributes:
        edge_hz: above this frequency there is suddenly nothing.
        lines: at 10 to 14 kHz.
        hiss: at the end.
    """

    edge_hz: float | None = None
    lines: SteadyLines | None = None
    hiss: TailHiss | None = None


NOTHING_FOUND = Artefacts()


class LineMeter:
    """Counts how often each frequency from 10 to 14 kHz stands out of what is beside it.

    Args:
        at_hz: frequencies of the bins, rising evenly.
        scale: what makes a sum of a window's powers a mean square.
    """

    def __init__(self, at_hz: Float64s, scale: float) -> None:
        self._scale = scale
        around = max(round(0.5 * _AROUND_HZ / float(at_hz[1] - at_hz[0])), 1)
        first, last = np.searchsorted(at_hz, [LINES_FROM_HZ, LINES_TO_HZ])
        self._fits = last + around < at_hz.size
        self._hz = at_hz[first:last]
        self._used = slice(first - around, last + around)
        self._around, self._count = around, 0
        self._often, self._over_db = np.zeros(last - first), np.zeros(last - first)
        self._powers = np.zeros(last - first)

    def push(self, power: Float64s) -> None:
        """Read the spectrum of one window."""
        if not self._fits:
            return
        self._powers += power[self._used][self._around : -self._around]
        levels_db = power_to_db(power[self._used] + 1e-20)
        sums = np.concatenate([[0.0], np.cumsum(levels_db)])
        wide = 2 * self._around + 1
        over_db = levels_db[self._around : -self._around] - (sums[wide:] - sums[:-wide]) / wide
        self._often += over_db > STANDS_OUT_DB
        self._over_db += over_db
        self._count += 1

    def finish(self) -> SteadyLines | None:
        """The lines that stood out in nine tenths of all windows; None for fewer than four."""
        if self._count < _FEWEST_WINDOWS:
            return None
        over_db = self._over_db / self._count
        levels_db = power_to_db(self._powers * self._scale / self._count + 1e-20)
        is_line = (self._often >= OFTEN * self._count) & (over_db >= STANDS_OUT_DB)
        candidates = np.flatnonzero(is_line & (levels_db >= QUIETEST_LINE_DB))
        lines: list[int] = []
        for place in candidates[np.argsort(-over_db[candidates])]:
            if all(abs(self._hz[place] - self._hz[other]) >= _APART_HZ for other in lines):
                lines.append(int(place))
        if len(lines) < FEWEST_LINES:
            return None
        found = tuple(sorted(float(self._hz[place]) for place in lines))
        band_db = power_to_db(float(self._powers.sum()) * self._scale / self._count + 1e-20)
        return SteadyLines(found, float(over_db[lines[0]]), band_db)


def tail_hiss(tail: Float64s, sample_rate: int, song_power_db: float) -> TailHiss | None:
    """Steady noise under the end of a song.

    The quiet moments at the very end (30 dB below the song) count if they last 0.5 s, lie between −85 and −45 dBFS,
    do not fade (3 dB between their halves) and have a flat spectrum from 2 to 10 kHz.

    Args:
        tail: (channel, time) of the last seconds of the music.
        sample_rate: in Hz.
        song_power_db: mean square of the song in dB.
    """
    size = round(_FRAME_S * sample_rate)
    count = tail.shape[1] // size
    if count * _FRAME_S < _SHORTEST_S or sample_rate < 2.2 * _HISS_TO_HZ:
        return None
    frames = tail[:, tail.shape[1] - count * size :].reshape(len(tail), count, size)
    power: Float64s = np.square(frames).mean(axis=(0, 2)) + 1e-12
    levels_db = power_to_db(power)
    loud = np.flatnonzero(levels_db > min(song_power_db + _HISS_BELOW_SONG_DB, HISS_LOUDEST_DB))
    first = int(loud[-1]) + 1 if loud.size else 0
    # what still fades into the noise is left out
    noise_db = float(np.median(levels_db[first:])) if first < count else 0.0
    above = np.flatnonzero(levels_db[first:] > noise_db + _STEADY_DB)
    first += int(above[-1]) + 1 if above.size else 0
    quiet_db = levels_db[first:]
    if quiet_db.size * _FRAME_S < _SHORTEST_S or not HISS_LONGEST_DB <= noise_db <= HISS_LOUDEST_DB:
        return None
    halves = np.array_split(quiet_db, 2)
    if abs(float(halves[0].mean() - halves[1].mean())) > _STEADY_DB or _flatness_db(frames, first) < _FLAT_DB:
        return None
    return TailHiss(float(quiet_db.mean()), quiet_db.size * _FRAME_S)


def _flatness_db(frames: Float64s, first: int) -> float:
    """Geometric over arithmetic mean of the spectrum from 2 to 10 kHz, in third octaves of equal noise density."""
    size = frames.shape[2]
    power = np.square(np.abs(np.fft.rfft(frames[:, first:] * np.hanning(size)))).mean(axis=(0, 1))
    hz = np.arange(power.size) / _FRAME_S
    inside = power[(hz >= _HISS_FROM_HZ) & (hz <= _HISS_TO_HZ)]
    bands = np.array([part.mean() for part in np.array_split(inside, 16)]) + 1e-30
    return float(power_to_db(bands).mean() - power_to_db(bands.mean()))
