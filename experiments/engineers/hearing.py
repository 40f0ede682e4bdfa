"""What the planted engineers hear of a song: measures that share no code with what a learner reads.

Loudness, range and true peak are libebur128's; spectra and filters are scipy's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyebur128
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.signal import butter, sosfilt, stft, welch

Float64s = NDArray[np.float64]

CENTRES_HZ: Float64s = 1000.0 * 10.0 ** (np.arange(-16, 13) / 10.0)
"""Third octaves from 25 Hz to 16 kHz."""

_EDGE = 10.0**0.05
_WINDOW_S = 0.046
_HARMONIC_S, _PERCUSSIVE_OCTAVES = 0.4, 1.5
_LOG_BANDS = 64
_PRESENCE_HZ = (2_000.0, 5_000.0)
_DENSE_DB = 12.0


@dataclass(frozen=True)
class Level:
    """Loudness in LUFS, true peak over loudness in dB, loudness range in LU."""

    loudness_lufs: float
    plr_db: float
    lra_lu: float


@dataclass(frozen=True)
class Hearing:
    """A song as an engineer hears it.

    Attributes:
        levels_db: (third,) less their mean from 50 Hz to 12.5 kHz.
        level: loudness, PLR, LRA.
        percussiveness: 0 to 1, the percussive part of the energy (Fitzgerald, "Harmonic/percussive separation using
            median filtering", DAFx 2010) of a spectrogram in 64 logarithmic bands.
        density: 0 to 1, the part of all bands and frames that lies within 12 dB of its band's loud frames.
        presence_fluctuation_db: 90 less 50 % of the level of 2–5 kHz in windows of 100 ms.
        correlation: of left and right; 1 for mono.
    """

    levels_db: Float64s
    level: Level
    percussiveness: float
    density: float
    presence_fluctuation_db: float
    correlation: float


def hear(audio: Float64s, rate: int) -> Hearing:
    """Measure audio (time, channel), two channels."""
    middle = audio.mean(axis=1)
    bands = _log_bands(middle, rate)
    return Hearing(
        levels_db=third_octave_shape(audio, rate),
        level=level_of(audio, rate),
        percussiveness=_percussiveness(bands),
        density=_density(bands),
        presence_fluctuation_db=_fluctuation(middle, rate),
        correlation=correlation_of(audio),
    )


def level_of(audio: Float64s, rate: int) -> Level:
    """Loudness, PLR and range by libebur128."""
    mode = pyebur128.MeasurementMode
    state = pyebur128.R128State(audio.shape[1], rate, mode.MODE_I | mode.MODE_LRA | mode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(audio).ravel(), len(audio))
    lufs = pyebur128.get_loudness_global(state)
    peak = max(pyebur128.get_true_peak(state, channel) for channel in range(audio.shape[1]))
    return Level(lufs, 20.0 * float(np.log10(max(peak, 1e-9))) - lufs, pyebur128.get_loudness_range(state))


def loudness_of(audio: Float64s, rate: int) -> float:
    """Integrated loudness in LUFS by libebur128."""
    state = pyebur128.R128State(audio.shape[1], rate, pyebur128.MeasurementMode.MODE_I)
    state.add_frames(np.ascontiguousarray(audio).ravel(), len(audio))
    return pyebur128.get_loudness_global(state)


def third_octave_shape(audio: Float64s, rate: int) -> Float64s:
    """(third,) levels in dB of a Welch spectrum, mean over channels, less the mean of 50 Hz to 12.5 kHz."""
    size = 1 << round(np.log2(rate / 2.7))
    power = welch(np.ascontiguousarray(audio.T), rate, "hann", size)[1].mean(axis=0)
    total = np.concatenate([[0.0], np.cumsum(power)])
    edges = (np.arange(len(total)) - 0.5) * rate / size
    upper = np.interp(CENTRES_HZ * _EDGE, edges, total)
    lower = np.interp(CENTRES_HZ / _EDGE, edges, total)
    return centred(10.0 * np.log10(np.maximum(upper - lower, total[-1] * 1e-9 + 1e-20)))


def centred(levels_db: Float64s) -> Float64s:
    """Levels (…, third) less their mean from 50 Hz to 12.5 kHz."""
    return levels_db - levels_db[..., BROAD].mean(axis=-1, keepdims=True)


BROAD: NDArray[np.bool_] = (CENTRES_HZ > 49.0) & (CENTRES_HZ < 13_000.0)


def correlation_of(audio: Float64s) -> float:
    """Of left and right, 1 where one is silent or there is one only."""
    left, right = audio[:, 0], audio[:, -1]
    scale = np.sqrt(float(left @ left) * float(right @ right))
    return float(left @ right) / scale if scale > 0.0 else 1.0


def side_over_mid_db(audio: Float64s) -> float:
    """Energy of L − R over that of L + R, −40 dB at least."""
    side, mid = audio[:, 0] - audio[:, -1], audio[:, 0] + audio[:, -1]
    return float(10.0 * np.log10(max(float(side @ side) / max(float(mid @ mid), 1e-20), 1e-4)))


def _log_bands(signal: Float64s, rate: int) -> Float64s:
    """(band, frame) power from 60 Hz to 10 kHz."""
    size = 2 * round(_WINDOW_S * rate / 2.0)
    at_hz, _, spectrum = stft(signal, rate, "hann", size, size // 2)
    edges = np.geomspace(60.0, 10_000.0, _LOG_BANDS + 1)
    power = np.abs(spectrum) ** 2
    starts = np.searchsorted(at_hz, edges)
    rows = [power[low : max(high, low + 1)].sum(axis=0) for low, high in pairwise(starts)]
    return np.stack(rows)


def _percussiveness(power: Float64s) -> float:
    """Share of √power that a median over frequency keeps more of than one over time (soft masks)."""
    weighted = np.sqrt(power / np.maximum(power.mean(axis=1, keepdims=True), 1e-20))
    frames = 2 * round(_HARMONIC_S / _WINDOW_S) + 1
    bands = 2 * round(_PERCUSSIVE_OCTAVES * _LOG_BANDS / np.log2(10_000.0 / 60.0) / 2.0) + 1
    harmonic = median_filter(weighted, (1, frames))
    percussive = median_filter(weighted, (bands, 1))
    mask = percussive**2 / np.maximum(percussive**2 + harmonic**2, 1e-12)
    return float((mask * weighted).sum() / max(float(weighted.sum()), 1e-12))


def _density(power: Float64s) -> float:
    """Part of bands and frames within 12 dB of the 90 % level of their band."""
    level_db = 10.0 * np.log10(power + 1e-12 * power.max() + 1e-20)
    loud_db = np.quantile(level_db, 0.9, axis=1, keepdims=True)
    return float((level_db > loud_db - _DENSE_DB).mean())


def _fluctuation(signal: Float64s, rate: int) -> float:
    """Level of 2–5 kHz in windows of 100 ms: 90 less 50 %; windows in silence are left out."""
    band = np.asarray(sosfilt(butter(4, _PRESENCE_HZ, "bandpass", fs=rate, output="sos"), signal))
    size = rate // 10
    power = (band[: len(band) // size * size].reshape(-1, size) ** 2).mean(axis=1)
    level_db = 10.0 * np.log10(power + 1e-20)
    level_db = level_db[level_db > level_db.max() - 60.0]
    return float(np.quantile(level_db, 0.9) - np.quantile(level_db, 0.5))
