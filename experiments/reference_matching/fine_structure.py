"""The fine structure of a song's long-term spectrum: what an equaliser leaves and another song does not share."""

import numpy as np
from excerpts import RATE, Samples

from neural_mastering.rendering.reference_profile import Spectrum

EDGES_HZ: Samples = 150.0 * 2.0 ** (np.arange(256) / 48.0)
"""Bands of 1/48 octave from 150 Hz to 6 kHz: above hum and bass, below the edges of lossy codecs."""

SMOOTHED_BANDS = 51


def fine_structure(audio: Samples) -> Samples:
    """Levels of the bands in dB less their mean over about an octave (Hann), (band,)."""
    spectrum = Spectrum(RATE, len(audio))
    spectrum.push(audio)
    at_hz, power = spectrum.bins()
    band = np.searchsorted(EDGES_HZ, at_hz) - 1
    inside = (band >= 0) & (band < len(EDGES_HZ) - 1)
    count = np.bincount(band[inside], minlength=len(EDGES_HZ) - 1)
    total = np.bincount(band[inside], power[inside], minlength=len(EDGES_HZ) - 1)
    hit = np.flatnonzero(count)  # the lowest bands are narrower than the bins
    levels_db = np.interp(np.arange(len(count)), hit, 10.0 * np.log10(total[hit] / count[hit] + 1e-15))
    window = np.hanning(SMOOTHED_BANDS + 2)[1:-1]
    padded = np.pad(levels_db, SMOOTHED_BANDS // 2, mode="edge")
    mean_db = np.convolve(padded, window / window.sum(), mode="valid")
    return np.asarray(levels_db - mean_db, dtype=np.float64)


def alike(one: Samples, other: Samples) -> float:
    """Correlation of two fine structures, −1 to 1; 0 where one is flat."""
    if min(one.std(), other.std()) < 1e-9:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
