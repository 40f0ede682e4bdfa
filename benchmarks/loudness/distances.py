"""How far an output is from its input at the same loudness."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft
from scipy.signal import butter, firwin, sosfiltfilt

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.mel import mel_filterbank
from neural_mastering.dsp.third_octaves import CENTRES_HZ

Signal = NDArray[np.float64]
SIZES = (4096, 1024, 256)
ENVELOPE_HOP_MS = 10.0
_FACTOR, _HALF, _RUN = 32, 10, 1 << 14
_WINDOW: Any = ("kaiser", 5.0)  # scipy's stubs know names only


def lufs(audio: Signal, rate: int) -> float:
    """Integrated loudness of (channel, time)."""
    return float(integrated_loudness(torch.from_numpy(audio)[None], rate))


def oracle_peak(audio: Signal) -> float:
    """True peak of (channel, time) at 32 times the rate, dBTP.

    The points are those of `scipy.signal.resample_poly(row, 32, 1)`, as one product of matrices in single
    precision, which is twenty times faster.
    """
    taps = np.append(_FACTOR * firwin(2 * _HALF * _FACTOR + 1, 1.0 / _FACTOR, window=_WINDOW), 0.0)
    padded = np.append(taps, np.zeros(-len(taps) % _FACTOR)).reshape(-1, _FACTOR)[::-1].astype(np.float32)
    highest = 0.0
    for row in audio:
        frames = np.lib.stride_tricks.sliding_window_view(
            np.pad(row.astype(np.float32), len(padded)), len(padded)
        )
        for start in range(0, len(frames), _RUN):
            points = np.ascontiguousarray(frames[start : start + _RUN]) @ padded
            highest = max(highest, float(points.max()), -float(points.min()))
    return 20.0 * float(np.log10(max(highest, 1e-9)))


class Reference:
    """A signal (channel, time) that outputs are compared with, at its own loudness.

    Args:
        audio: the unlimited song.
        rate: in Hz.
    """

    def __init__(self, audio: Signal, rate: int) -> None:
        self.rate, self.lufs = rate, lufs(audio, rate)
        self._channels = list(audio)
        self._rows = [*audio, audio.mean(axis=0)]
        self._magnitudes = [[_magnitude(row, size) for row in self._rows] for size in SIZES]
        self.centres_hz = [float(centre) for centre in CENTRES_HZ[::3] if centre * 1.2 < rate / 2]
        self._bands = [_band(centre, rate) for centre in self.centres_hz]
        self._in_bands = [_each_band(row, self._bands) for row in self._channels]

    def distances(self, output: Signal, level: float) -> dict[str, float]:
        """Of an output whose loudness is `level`, brought to that of the reference.

        mr_stft: mean over three sizes and left, right, mid of ‖|X| − |Y|‖/‖Y‖ + mean |ln |X| − ln |Y||;
        worst_s: the largest such distance (size 1024) of any second; mel: mean |difference| of 64 bands in dB;
        envelope: standard deviation over time of the differences between the levels of octave-wide bands every
        10 ms, in dB, where the reference is within 40 dB of the band's loudest moment; quiet: power of the
        difference in the third octaves that lie more than 30 dB below the loudest of their moment, over the power
        of the reference, in dB; crest: how much lower the ratio of peak to level is, in dB, mean over the bands
        and for each;
        speed: mean change of the broadband level difference from one 10 ms to the next, in dB.
        """
        output = output * 10 ** ((self.lufs - level) / 20)
        rows = [*output, output.mean(axis=0)]
        parts, worst, mel = [], 0.0, []
        for size, magnitudes in zip(SIZES, self._magnitudes, strict=True):
            for x, b in zip(rows, magnitudes, strict=True):
                a = _magnitude(x, size)
                parts.append(_distance(a, b))
                if size == 1024:
                    frames = max(round(self.rate / (size // 4)), 1)
                    for i in range(0, len(a) - frames, frames):
                        worst = max(worst, _distance(a[i : i + frames], b[i : i + frames]))
                if size == 4096:
                    bank = mel_filterbank(size, self.rate, 64, low_hz=40.0).numpy().T
                    floor = 1e-7 * float((b**2 @ bank).max())
                    mel.append(np.abs(10 * np.log10((a**2 @ bank + floor) / (b**2 @ bank + floor))).mean())
        pairs = list(zip(rows, self._channels, strict=False))
        quiet = np.mean([_quiet(x, y, self.rate) for x, y in pairs])
        hop = round(ENVELOPE_HOP_MS * self.rate / 1000.0)
        bands = [
            (x, y)
            for row, reference in zip(rows, self._in_bands, strict=False)
            for x, y in zip(_each_band(row, self._bands), reference, strict=True)
        ]
        crests = np.reshape([_crest_db(y) - _crest_db(x) for x, y in bands], (len(pairs), -1)).mean(axis=0)
        by_band = {f"crest_{c:.0f}_hz_db": float(v) for c, v in zip(self.centres_hz, crests, strict=True)}
        return by_band | {
            "quiet_db": 10.0 * float(np.log10(max(quiet, 1e-12))),
            "mr_stft": float(np.mean(parts)),
            "worst_s": float(worst),
            "mel_db": float(np.mean(mel)),
            "envelope_db": float(np.mean([_envelope(x, y, hop) for x, y in bands])),
            "crest_db": float(np.mean(crests)),
            "speed_db": float(np.mean([_speed(x, y, hop) for x, y in pairs])),
        }


def _magnitude(x: Signal, size: int) -> Signal:
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(x.astype(np.float32), size // 2), size)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    return np.abs(np.asarray(fft.rfft(frames[:: size // 4] * window, axis=-1))) / window.sum()


def _distance(a: Signal, b: Signal) -> float:
    floor = 1e-5 * max(float(b.max()), 1e-9)
    convergence = float(np.linalg.norm(a - b)) / max(float(np.linalg.norm(b)), 1e-9)
    return convergence + float(np.abs(np.log((a + floor) / (b + floor))).mean())


def _quiet(x: Signal, y: Signal, rate: int) -> float:
    size = 4096
    at_hz = np.arange(size // 2 + 1) * rate / size
    edges = np.searchsorted(at_hz, [*(CENTRES_HZ[3:] / 2 ** (1 / 6)), CENTRES_HZ[-1] * 2 ** (1 / 6)])
    edges = edges[np.append(True, np.diff(edges) > 0)]
    difference, reference = (
        np.add.reduceat(_magnitude(signal, size) ** 2, edges[:-1], axis=1) for signal in (x - y, y)
    )
    is_quiet = reference < 1e-3 * reference.max(axis=1, keepdims=True)
    return float(difference[is_quiet].sum() / reference.sum())


def _each_band(x: Signal, bands: list[Signal]) -> list[Signal]:
    return [np.asarray(sosfiltfilt(sections, x)) for sections in bands]


def _envelope(x: Signal, y: Signal, hop: int) -> float:
    a, b = _levels(x, hop), _levels(y, hop)
    return float(np.std((a - b)[b > b.max() - 40.0]))


def _crest_db(x: Signal) -> float:
    return float(20.0 * np.log10(np.abs(x).max() / np.sqrt((x**2).mean()))) if x.any() else 0.0


def _speed(x: Signal, y: Signal, hop: int) -> float:
    a, b = _levels(x, hop), _levels(y, hop)
    return float(np.abs(np.diff(np.where(b > b.max() - 40.0, a - b, 0.0))).mean())


def _levels(x: Signal, hop: int) -> Signal:
    cells = x[: x.size // hop * hop].reshape(-1, hop)
    return 10.0 * np.log10((cells**2).mean(axis=1) + 1e-12)


def _band(centre: float, rate: int) -> Signal:
    edges = [centre / 2 ** (1 / 2), min(centre * 2 ** (1 / 2), 0.49 * rate)]
    return np.asarray(butter(2, edges, btype="bandpass", fs=rate, output="sos"))
