"""What mastering does to a song, for planted pairs: equaliser, compressor, limiter, loudness; no delay of its own.

Everything is drawn from a seed. Arrays are (time, channel) float64.
"""

import numpy as np
import torch
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import lfilter, sosfilt

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.interop.biquad_sections import sections
from neural_mastering.units import db_to_gain

CEILING = 0.97
LOUDER_DB = 10.0


def master(audio: np.ndarray, rate: int, seed: int, louder_db: float = LOUDER_DB) -> np.ndarray:
    """Minimum-phase EQ (shelves and three peaks up to ±6 dB), compression, a gain, a look-ahead limiter.

    The limiter lifts the loudness by `louder_db` over the input's, as far as two passes come close.
    """
    rng = np.random.default_rng(seed)
    before = _lufs(audio, rate)
    wet = compress(equalise(audio, rate, rng), rate, rng)
    gain_db = before + louder_db - _lufs(wet, rate)
    first = limit(wet * db_to_gain(gain_db), rate)
    return limit(wet * db_to_gain(gain_db + before + louder_db - _lufs(first, rate)), rate)


def equalise(audio: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Five RBJ biquads with gains up to ±6 dB."""
    frequency = [
        rng.uniform(60, 250),
        *np.exp(rng.uniform(np.log(150), np.log(8000), 3)),
        rng.uniform(5e3, 12e3),
    ]
    frequency = [min(f, 0.4 * rate) for f in frequency]
    gain, q = rng.uniform(-6, 6, 5), [0.71, *rng.uniform(0.5, 3, 3), 0.71]
    parameters = [
        torch.tensor(v, dtype=torch.float64)[None] for v in (np.array(frequency), gain, np.array(q))
    ]
    kinds = ("low_shelf", "peak", "peak", "peak", "high_shelf")
    frequency_hz, gain_db, quality = parameters
    return np.asarray(
        sosfilt(sections(frequency_hz, gain_db, quality, rate, kinds)[0].numpy(), audio, axis=0)
    )


def compress(audio: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Feed-forward compression of the channels' mean square: ratio 1.5–4, threshold near the song's level."""
    time_s, ratio = rng.uniform(0.01, 0.08), rng.uniform(1.5, 4.0)
    pole = np.exp(-1.0 / (time_s * rate))
    power = np.asarray(lfilter([1 - pole], [1, -pole], np.square(audio).mean(axis=1))) + 1e-12
    level_db = 10 * np.log10(power)
    threshold_db = 10 * np.log10(np.square(audio).mean() + 1e-12) + rng.uniform(-6, 3)
    gain_db = -(1 - 1 / ratio) * np.maximum(level_db - threshold_db, 0)
    return audio * 10 ** (gain_db / 20)[:, None]


def limit(audio: np.ndarray, rate: int) -> np.ndarray:
    """Brick-wall limiter: running maximum of the needed reduction, smoothed within its own window; no delay."""
    half = max(1, round(0.002 * rate))
    needed = np.maximum(np.abs(audio).max(axis=1) / CEILING, 1.0)
    held = maximum_filter1d(needed, 2 * half + 1)
    return audio / uniform_filter1d(held, 2 * half + 1, mode="nearest")[:, None]


def _lufs(audio: np.ndarray, rate: int) -> float:
    return float(
        integrated_loudness(
            torch.from_numpy(np.ascontiguousarray(audio.T[None], dtype=np.float32)), rate, floor_lufs=-60.0
        )[0]
    )
