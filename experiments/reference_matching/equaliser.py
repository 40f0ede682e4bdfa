"""The random equaliser that stands between a finished song and its degraded copy."""

import numpy as np
from scipy.signal import sosfilt

from experiments.reference_matching.excerpts import RATE, Samples
from neural_mastering.dsp import rbj


def degrade(audio: Samples, rng: np.random.Generator) -> Samples:
    """A random equaliser, and a level of −18 to −6 dB."""
    sections = random_equaliser(rng)
    return sosfilt(sections, audio) * 10.0 ** (rng.uniform(-18.0, -6.0) / 20.0)


def random_equaliser(rng: np.random.Generator) -> Samples:
    """Second-order sections of 3 to 6 bands with ±6 dB, (section, 6)."""
    peaks = int(rng.integers(1, 5))
    kinds = ("low_shelf", "high_shelf", *("peak",) * peaks)
    low, high = np.array([60.0, 2_500.0, *(80.0,) * peaks]), np.array([250.0, 10_000.0, *(9_000.0,) * peaks])
    frequency_hz = np.exp(rng.uniform(np.log(low), np.log(high)))
    gain_db = rng.uniform(-6.0, 6.0, len(kinds))
    q = np.concatenate([[0.7, 0.7], np.exp(rng.uniform(np.log(0.5), np.log(2.0), peaks))])
    return rbj.sections(kinds, frequency_hz, gain_db, q, RATE)


def filtered(sections: Samples, audio: Samples) -> Samples:
    """Second-order sections; none leave the audio as it is."""
    return np.asarray(sosfilt(sections, audio)) if len(sections) else audio
