"""Traces to plant in a song (channel, time), at a level relative to it."""

from collections.abc import Callable

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfiltfilt

Samples = NDArray[np.float64]
Trace = Callable[[Samples, int, np.random.Generator], Samples]
EDGE_HZ = 16_000
LOW_HZ, HIGH_HZ = 10_000.0, 14_000.0
LINES = 8
TAIL_S, FADE_S = 2.0, 1.0


def gentle_edge(audio: Samples, rate: int, rng: np.random.Generator) -> Samples:
    """Nothing above 16 kHz, through 32 kHz and back by a short filter, which falls over 2 kHz."""
    step = np.gcd(rate, 2 * EDGE_HZ)
    low = resample_poly(audio, 2 * EDGE_HZ // step, rate // step, axis=1, window=("kaiser", 12.0))
    back = resample_poly(low, rate // step, 2 * EDGE_HZ // step, axis=1, window=("kaiser", 12.0))
    return back[:, : audio.shape[1]]


def steep_edge(audio: Samples, rate: int, rng: np.random.Generator) -> Samples:
    """Nothing above 16 kHz, through 32 kHz and back by soxr's best filter, which falls over some hundred hertz."""
    low = soxr.resample(audio.T, rate, 2 * EDGE_HZ, quality="VHQ")
    back = soxr.resample(low, 2 * EDGE_HZ, rate, quality="VHQ").T
    return np.ascontiguousarray(back[:, : audio.shape[1]])


def lines(level_db: float) -> Trace:
    """Eight sines from 10 to 14 kHz at random places, that much louder than the song's own band on the whole."""

    def trace(audio: Samples, rate: int, rng: np.random.Generator) -> Samples:
        time = np.arange(audio.shape[1]) / rate
        places = LOW_HZ + (HIGH_HZ - LOW_HZ) * (np.arange(LINES) + rng.uniform(0.2, 0.8, LINES)) / LINES
        added = sum(
            np.sin(2.0 * np.pi * f * time + p) for f, p in zip(places, rng.uniform(0, 6, LINES), strict=True)
        )
        return audio + _at(np.asarray(added)[None], level_db + _band_db(audio, rate))

    return trace


def shimmer(level_db: float) -> Trace:
    """Noise from 10 to 14 kHz whose level swings by 12 dB, 6 times a second."""

    def trace(audio: Samples, rate: int, rng: np.random.Generator) -> Samples:
        time = np.arange(audio.shape[1]) / rate
        noise = _in_band(rng.standard_normal(audio.shape), rate)
        swing = 10.0 ** (6.0 * np.sin(2.0 * np.pi * 6.0 * time) / 20.0)
        return audio + _at(noise * swing, level_db + _band_db(audio, rate))

    return trace


def hiss(level_dbfs: float) -> Trace:
    """White noise under all of the song, which fades out 2 s before its end."""

    def trace(audio: Samples, rate: int, rng: np.random.Generator) -> Samples:
        tail, fade = round(TAIL_S * rate), round(FADE_S * rate)
        gain = np.ones(audio.shape[1])
        gain[-tail - fade : -tail] = 0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, fade))
        gain[-tail:] = 0.0
        return audio * gain + 10.0 ** (level_dbfs / 20.0) * rng.standard_normal(audio.shape)

    return trace


def plain(audio: Samples, rate: int, rng: np.random.Generator) -> Samples:
    """Nothing planted."""
    return audio


TRACES: dict[str, Trace] = {
    "nothing": plain,
    "gentle edge at 16 kHz": gentle_edge,
    "steep edge at 16 kHz": steep_edge,
    "8 lines, −20 dB": lines(-20.0),
    "8 lines, −10 dB": lines(-10.0),
    "8 lines, 0 dB": lines(0.0),
    "noise that swings, 0 dB": shimmer(0.0),
    "hiss at −80 dBFS": hiss(-80.0),
    "hiss at −60 dBFS": hiss(-60.0),
}


def _in_band(audio: Samples, rate: int) -> Samples:
    sections = np.asarray(butter(4, [LOW_HZ, HIGH_HZ], "bandpass", fs=rate, output="sos"))
    return np.asarray(sosfiltfilt(sections, audio, axis=1))


def _band_db(audio: Samples, rate: int) -> float:
    return 10.0 * float(np.log10(np.square(_in_band(audio, rate)).mean() + 1e-12))


def _at(added: Samples, level_db: float) -> Samples:
    return added * 10.0 ** (level_db / 20.0) / np.sqrt(np.square(added).mean() + 1e-20)
