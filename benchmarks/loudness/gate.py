"""What a limiter adds to tones that are driven into it: steady pairs (the gate), and the beats of a bass drum."""

import numpy as np
from scipy.signal import butter, sosfiltfilt

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


def drum_db(limiter: Limiter, drive_db: float = 6.0) -> float:
    """Power above 300 Hz over all power in the output, in dB, for eight beats of 60 Hz that fade with 120 ms.

    In the input it is −43.7 dB. It isn't part of the gate: it shows what a release does before it has settled.
    """
    time = np.arange(RATE * SECONDS) / RATE
    beats = np.zeros_like(time)
    for start_s in 0.25 + 0.45 * np.arange(8):
        since = np.maximum(time - start_s, 0.0)
        beats += np.sin(2 * np.pi * 60.0 * since) * np.exp(-since / 0.12) * np.minimum(since / 0.003, 1.0)
    out = limiter(np.stack([beats, beats]) * 10 ** ((drive_db - 1.0) / 20), RATE, -1.0)[0]
    above = sosfiltfilt(np.asarray(butter(6, 300.0, "highpass", fs=RATE, output="sos")), out)
    return 10.0 * float(np.log10((above**2).sum() / (out**2).sum()))
