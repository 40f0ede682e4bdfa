"""The features of `models.encoders.LogMel` in numpy: the same spectra, bands and levels, without torch.

0 dB is a full-scale sine. Powers are computed of the signal as it comes; `features_of` brings them to the loudness
at which a model listens.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.rbj import Float64s
from neural_mastering.dsp.real_fft import rfft
from neural_mastering.numeric import mel_kernels
from neural_mastering.units import db_to_power, power_to_db

GROUPS = 8
MID_SCALE_DB, SIDE_SCALE_DB, CREST_SCALE_DB, BALANCE_SCALE_DB = 10.0, 20.0, 10.0, 10.0
TYPICAL_CREST_DB = 12.0

_FRAMES_AT_ONCE = 16


@dataclass(frozen=True)
class LogMelSpec:
    """Settings of the front end, see `LogMel`.

    Attributes:
        sample_rate: in Hz; of the audio to come.
        bands: mel bands between low_hz and high_hz.
        low_hz, high_hz: range of the bands.
        fft_size, hop: of the frames, in samples.
        floor_db, reference_level_db, reference_tilt_db: see `LogMel`.
    """

    sample_rate: float
    bands: int
    low_hz: float
    high_hz: float
    fft_size: int
    hop: int
    floor_db: float
    reference_level_db: float
    reference_tilt_db: float


@dataclass(frozen=True)
class LogMelPowers:
    """Of one window of a song; a gain multiplies all of them.

    Attributes:
        mid, side, cross: (band, frame).
        peak, power: (hop,) largest sample and mean square.
    """

    mid: Float64s
    side: Float64s
    cross: Float64s
    peak: Float64s
    power: Float64s


def log_mel_powers(spec: LogMelSpec, audio: NDArray[np.floating]) -> LogMelPowers:
    """Measure audio (channel, time), mono or stereo, at the spec's rate.

    What is shorter than one frame is padded with zeros at its end.
    """
    samples = np.asarray(audio, dtype=np.float32)
    left, right = samples[0], samples[-1]
    signal = np.zeros((2, max(samples.shape[1], spec.fft_size)), np.float32)
    signal[0, : left.size] = (left + right) * np.float32(0.5)
    signal[1, : left.size] = (left - right) * np.float32(0.5)
    window = _window(spec.fft_size)
    frames = np.lib.stride_tricks.sliding_window_view(signal, spec.fft_size, axis=1)[:, :: spec.hop]
    weights, first, width = _filterbank(spec)
    bands = np.empty((3, spec.bands, frames.shape[1]))
    for at in range(0, frames.shape[1], _FRAMES_AT_ONCE):  # few enough to stay in the cache
        mid, side = (rfft(each[at : at + _FRAMES_AT_ONCE] * window) for each in frames)
        mel_kernels.band_powers(mid, side, weights, first, width, at, bands)
    hops = signal.shape[1] // spec.hop
    peak, power = np.empty(hops), np.empty(hops)
    mel_kernels.hop_levels(signal, spec.hop, peak, power)
    return LogMelPowers(bands[0], bands[1], bands[2], peak, power)


def features_of(spec: LogMelSpec, powers: LogMelPowers, gain_db: float) -> tuple[Float64s, Float64s]:
    """Features (feature, frame) of frames and (feature,) of the whole window, at a gain in dB."""
    share = db_to_power(gain_db)
    mid, side, cross = (share * each for each in (powers.mid, powers.side, powers.cross))
    floor, reference_db = db_to_power(spec.floor_db), _reference_db(spec)[:, None]
    levels = _levels(mid, side, floor, reference_db)
    mean_levels = _levels(
        mid.mean(axis=1, keepdims=True), side.mean(axis=1, keepdims=True), floor, reference_db
    )
    stereo = _stereo(mid, side, cross, floor)
    crest, whole_crest = _crest(spec, powers, share, floor)
    frames = np.concatenate([levels, stereo, crest[None]])
    return frames, np.concatenate([mean_levels[:, 0], frames.mean(axis=1), [whole_crest]])


def _levels(mid: Float64s, side: Float64s, floor: float, reference_db: Float64s) -> Float64s:
    return np.concatenate(
        [
            (power_to_db(mid + floor) - reference_db) / MID_SCALE_DB,
            (power_to_db(side + floor) - reference_db) / SIDE_SCALE_DB,
        ]
    )


def _stereo(mid: Float64s, side: Float64s, cross: Float64s, floor: float) -> Float64s:
    mid, side, cross = (p.reshape(GROUPS, -1, p.shape[1]).sum(axis=1) for p in (mid, side, cross))
    total = mid + side + floor
    left, right = (np.maximum(total + sign * 2.0 * cross, 0.5 * floor) for sign in (1.0, -1.0))
    correlation = (mid - side) / np.sqrt(left * right)
    balance = (power_to_db(left) - power_to_db(right)) / BALANCE_SCALE_DB
    return np.concatenate([correlation, balance, side / total])


def _crest(spec: LogMelSpec, powers: LogMelPowers, share: float, floor: float) -> tuple[Float64s, float]:
    """Peak to RMS of each frame's hops, (frame,), and of the window."""
    width = spec.fft_size // spec.hop
    view = np.lib.stride_tricks.sliding_window_view
    peaks, means = view(powers.peak, width).max(axis=1), view(powers.power, width).mean(axis=1)

    def feature(peak: Float64s, power: Float64s) -> Float64s:
        crest_db = power_to_db((share * np.square(peak) + floor) / (share * power + floor))
        return (crest_db - TYPICAL_CREST_DB) / CREST_SCALE_DB

    whole = feature(powers.peak.max(keepdims=True), powers.power.mean(keepdims=True))
    return feature(peaks, means), float(whole[0])


@lru_cache(maxsize=4)
def _window(size: int) -> NDArray[np.float32]:
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    return (window * (2.0 / window.sum())).astype(np.float32)  # a full-scale sine reads 0 dB


def mel_weights(spec: LogMelSpec) -> Float64s:
    """Triangles of height 1 on the power spectrum, (band, bin), evenly spaced in mel (Slaney); see `dsp.mel`."""
    step = math.log(6.4) / 27.0

    def to_mel(hz: float) -> float:
        return 15.0 + math.log(hz / 1000.0) / step if hz >= 1000.0 else hz * 3.0 / 200.0

    mels = np.linspace(to_mel(spec.low_hz), to_mel(spec.high_hz), spec.bands + 2)
    edges = np.where(
        mels < 15.0, mels * (200.0 / 3.0), 1000.0 * np.exp((np.maximum(mels, 15.0) - 15.0) * step)
    )
    at_hz = np.arange(spec.fft_size // 2 + 1) * (spec.sample_rate / spec.fft_size)
    left, centre, right = (edges[i : i + spec.bands, None] for i in range(3))
    return np.maximum(np.minimum((at_hz - left) / (centre - left), (right - at_hz) / (right - centre)), 0.0)


@lru_cache(maxsize=4)
def _filterbank(spec: LogMelSpec) -> tuple[Float64s, NDArray[np.int64], NDArray[np.int64]]:
    """The weights above 0, (band, most), the first bin of each band, and how many it has."""
    whole = mel_weights(spec)
    width = (whole > 0.0).sum(axis=1)
    first = (whole > 0.0).argmax(axis=1)
    weights = np.zeros((len(whole), int(width.max())))
    for band, (start, count) in enumerate(zip(first, width, strict=True)):
        weights[band, :count] = whole[band, start : start + count]
    return weights, first, width


@lru_cache(maxsize=4)
def _reference_db(spec: LogMelSpec) -> Float64s:
    """(band,) power of noise of the reference's slope and level, in dB."""
    exponent = spec.reference_tilt_db / power_to_db(2.0)
    grid_hz = np.linspace(0.0, spec.sample_rate / 2.0, 100_001)
    shape = np.clip(grid_hz, spec.low_hz, spec.high_hz) ** exponent
    power = float(np.sum(np.diff(grid_hz) * 0.5 * (shape[1:] + shape[:-1])))
    at_hz = np.arange(spec.fft_size // 2 + 1) * (spec.sample_rate / spec.fft_size)
    density = (
        np.clip(at_hz, spec.low_hz, spec.high_hz) ** exponent / power * db_to_power(spec.reference_level_db)
    )
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(spec.fft_size) / spec.fft_size)
    window = window * (2.0 / window.sum())
    reference = mel_weights(spec) @ (0.5 * density * spec.sample_rate * np.square(window).sum())
    whole: Float64s = reference + db_to_power(spec.floor_db)
    return power_to_db(whole)
