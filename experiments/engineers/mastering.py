"""An engineer's settings as audio: equaliser, compressor, soft clipper, width, loudness or limiter; no delay.

Arrays are (time, channel) float64.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve, firwin2, sosfilt

from experiments.engineers.hearing import Float64s, loudness_of
from experiments.engineers.moves import Band, Settings, curve_at
from neural_mastering.dsp import rbj
from neural_mastering.dsp.limiter import limit
from neural_mastering.units import db_to_gain

CEILING_DBTP = -1.0
_TAPS = 8_191
_ATTACK_MS, _RELEASE_MS, _KNEE_DB = 20.0, 200.0, 6.0
_PASSES = 3


def master(audio: Float64s, rate: int, settings: Settings) -> Float64s:
    """Render; two channels."""
    wet = equalise(audio, rate, settings)
    if settings.ratio > 1.0:
        wet = compress(wet, rate, settings)
    if settings.drive_db > 0.0:
        wet = saturate(wet, rate, settings.drive_db)
    if settings.side_db:
        middle = wet.mean(axis=1, keepdims=True)
        wet = middle + db_to_gain(settings.side_db) * (wet - middle)
    return at_loudness(wet, rate, settings)


def equalise(audio: Float64s, rate: int, settings: Settings) -> Float64s:
    """Biquads, then a linear-phase filter whose delay is taken out."""
    if settings.bands:
        bands = [
            Band(band.kind, min(band.frequency_hz, 0.45 * rate), band.gain_db, band.q)
            for band in settings.bands
        ]
        kinds, frequency, gain, q = (list(column) for column in zip(*bands, strict=True))
        audio = np.asarray(sosfilt(rbj.sections(kinds, frequency, gain, q, rate), audio, axis=0))
    if settings.curve_db is None:
        return audio
    grid = np.linspace(0.0, rate / 2.0, 4_097)
    gain = db_to_gain(curve_at(grid, settings.curve_db))
    taps = np.asarray(firwin2(_TAPS, grid, gain, fs=rate))
    return fftconvolve(audio, taps[:, None], axes=0)[_TAPS // 2 : _TAPS // 2 + len(audio)]


def compress(audio: Float64s, rate: int, settings: Settings) -> Float64s:
    """Feed-forward, stereo-linked, the threshold relative to the loudness of the signal."""
    import torch  # only where dynamics are rendered

    from neural_mastering.dsp.compressor import gain_reduction_db  # reads torch

    def one(value: float) -> torch.Tensor:
        return torch.tensor([value], dtype=torch.float64)

    threshold_db = loudness_of(audio, rate) + settings.threshold_db
    power = torch.from_numpy(np.square(audio).mean(axis=1))[None]
    reduction = gain_reduction_db(
        power, one(threshold_db), one(settings.ratio), one(_ATTACK_MS), one(_RELEASE_MS), one(_KNEE_DB), rate
    )
    return audio * db_to_gain(-reduction[0].numpy())[:, None]


def saturate(audio: Float64s, rate: int, drive_db: float) -> Float64s:
    """tanh with the small-signal gain and the loudness of before; the song enters at −14 LUFS."""
    gain = db_to_gain(-14.0 - loudness_of(audio, rate) + drive_db)
    return np.tanh(gain * audio) / gain


def at_loudness(audio: Float64s, rate: int, settings: Settings) -> Float64s:
    """A gain, and behind it the limiter, again until the loudness is met to 0.05 LU, three times at most."""
    gain_db = settings.loudness_lufs - loudness_of(audio, rate)
    if not settings.limited:
        return audio * db_to_gain(gain_db)
    out = audio
    for _ in range(_PASSES):
        out = limit(np.ascontiguousarray(audio.T) * db_to_gain(gain_db), CEILING_DBTP, rate)[0].T
        missing_db = settings.loudness_lufs - loudness_of(out, rate)
        if abs(missing_db) < 0.05:
            break
        gain_db += missing_db
    return np.ascontiguousarray(out)
