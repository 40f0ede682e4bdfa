"""What a limiter adds to steady pairs of tones that are driven 3 dB into it."""

import numpy as np

from benchmarks.loudness.contenders import Limiter

PAIRS_HZ = ((50.0, 7000.0), (19000.0, 20000.0))
RATE, SECONDS = 44_100, 4
MOST_DB = -50.0


def added_db(limiter: Limiter, pair_hz: tuple[float, float], drive_db: float = 3.0) -> float:
    """Power at harmonics and intermodulation products over that of the tones, in dB, once the limiter is settled.

    The last two seconds are read; a whole number of periods of both tones, so a rectangular window leaks nothing.
    """
    time = np.arange(RATE * SECONDS) / RATE
    tones = sum(np.sin(2 * np.pi * f * time) for f in pair_hz)
    audio = np.stack([tones, tones]) * 10 ** ((drive_db - 1.0) / 20) / 2.0
    out = limiter(audio, RATE, -1.0)[0, -2 * RATE :]
    power = np.abs(np.fft.rfft(out)) ** 2
    bins = [round(f * 2) for f in pair_hz]
    kept = sum(float(power[b - 1 : b + 2].sum()) for b in bins)
    return 10.0 * float(np.log10(max(float(power.sum()) - kept, 1e-30) / kept))
