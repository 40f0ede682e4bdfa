"""The settings of clipper and limiter for a song, by trying a few on its loudest passages.

Each candidate is driven as hard as the target asks, and its output Y is compared with the passages X themselves at
the same loudness, in frames of 2048 and 512 samples (for the second only the first two terms):

    cost   ‖|Y| − |X|‖/‖X‖ + mean |ln |Y| − ln |X|| + mean |ln Y_b − ln X_b| + 4·added + 25·quiet
    added  √ of the power by which |Y − X|² exceeds |X|² in third octaves above 100 Hz, over all power
    quiet  √ of the power of |Y − X|² in those that lie more than 30 dB below the loudest of their moment, likewise

X_b are levels of these bands; means are over channels. Both last terms hear a gain that follows the wave of the
bass: it fills bands in which the song has little to mask it. Below a lone bass drum and below a bass under quiet
treble a longer look-ahead wins. The clipper is the same for all and is run once a gain.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp import stream_kernels
from neural_mastering.dsp.k_weighting import k_weighting_sections
from neural_mastering.dsp.limiter import DRIVEN, LimiterSettings, limit
from neural_mastering.dsp.peak_clipper import clip_peaks
from neural_mastering.dsp.real_fft import rfft
from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.metering.meter import HOP_MS, Readings
from neural_mastering.rendering.delivery.gain_search import GainSearch
from neural_mastering.rendering.delivery.loudness_probe import loudness_probe
from neural_mastering.rendering.delivery.spec import CLEAN_DB, DeliverySpec
from neural_mastering.units import db_to_gain, power_to_db

PASSAGE_S = 1.5
MOST_PASSAGES = 3
"""Three passages of 1.5 s are heard of songs of six minutes or more, of shorter ones fewer, at least one."""

_SONG_S_PER_PASSAGE = 120.0
_SIZES = (2048, 512)
_FLOOR = 1e-5  # of the loudest bin
_QUIET = 1e-3  # of the power of the loudest band
_QUIET_WEIGHT = 25.0
_STEP_DB = 0.5
_SPARED_LU = 0.2
_THREADS = 2  # each trial needs memory for its spectra

CANDIDATES: tuple[LimiterSettings, ...] = (
    DRIVEN,
    replace(DRIVEN, lookahead_ms=2.0, recovery_exponent=1.3),
    replace(DRIVEN, lookahead_ms=5.0, recovery_exponent=1.0),
)
"""All keep the gate of `benchmarks.loudness`. The best is tried once more without the clipper."""

LOUDER: tuple[LimiterSettings, ...] = (
    replace(DRIVEN, recovery_ms=0.5),
    LimiterSettings(1.0, 300.0, 0.5, 300.0, recovery_exponent=1.0),
    LimiterSettings(1.0, 100.0, 0.5, 300.0, recovery_exponent=1.0),
)
"""For a target that the best candidate doesn't reach, at the full density only: the first of these that does.

Driven 15 dB without the clipper they come to about −7.7, −7.1 and −6.7 LUFS. Behind it they add −46, −39 and −36 dB
to steady tones: none keeps the gate. Of the limiters that they were compared with, the cleanest adds −42 dB, the
others −40 to −19 dB.
"""


@dataclass(frozen=True)
class LimiterChoice:
    """What was found.

    Attributes:
        settings: of the limiter.
        clip_db: the most that the clipper may take off.
        cost: of these settings.
        default_cost: of `DRIVEN` with all of the clipper.
    """

    settings: LimiterSettings
    clip_db: float
    cost: float
    default_cost: float


def find_limiter(
    blocks: Callable[[], Iterator[Block]], before: LimiterForecast, spec: DeliverySpec
) -> LimiterChoice | None:
    """The settings with the lowest cost; None where the limiter takes off no more than `CLEAN_DB`.

    The number of trials doesn't depend on the time they take, so one song always gets the same settings.

    Args:
        blocks: starts the signal before the loudness stage from its beginning.
        before: its survey.
        spec: target, ceiling, and the most that may be clipped.
    """
    if spec.ceiling_db is None or not spec.limits:
        return None
    readings = before.readings
    if not math.isfinite(readings.lufs):
        return None
    clean_db = spec.ceiling_db + CLEAN_DB - readings.true_peak_db
    if spec.lufs is not None and before.limited_lufs(clean_db, spec.ceiling_db, spec.settings) >= spec.lufs:
        return None  # the same as below, sooner
    gain_db = GainSearch(replace(before, sample=None), spec, 0.0).gain_db
    if spec.over_db(readings.true_peak_db + gain_db) <= CLEAN_DB:
        return None
    passages = loudest_passages(blocks(), readings)
    trial = _LimiterTrial(passages, readings.sample_rate, spec.ceiling_db)
    if not trial.is_audible:
        return None
    depth_db = spec.clip_depth_db(readings.true_peak_db + gain_db)
    with ThreadPoolExecutor(_THREADS) as pool:  # the loops and FFTs run outside the interpreter's lock
        gains_db = [gain_db, gain_db + _STEP_DB, *(gain_db for _ in CANDIDATES[1:])]
        asked = [DRIVEN, *CANDIDATES]
        tried = list(
            pool.map(lambda pair: trial.run(pair[0], depth_db, pair[1]), zip(asked, gains_db, strict=True))
        )
    (default, level_db), (louder, louder_db) = tried[:2]
    per_lu = max(louder - default, 0.0) / max(louder_db - level_db, 0.1)

    def comparable(own: float, own_db: float) -> float:
        """A cost at the loudness of the default, to the first order."""
        return own + per_lu * (level_db - own_db)

    def cost(settings: LimiterSettings, depth_db: float) -> float:
        return comparable(*trial.run(settings, depth_db, gain_db))

    costs = [default, *(comparable(*each) for each in tried[2:])]
    best = int(np.argmin(costs))
    unclipped = cost(CANDIDATES[best], 0.0) if depth_db > 0.0 else costs[best]
    choice = LimiterChoice(CANDIDATES[best], spec.clip_db, costs[best], default)
    if unclipped < costs[best]:
        choice = replace(choice, clip_db=0.0, cost=unclipped)
    if math.isinf(spec.max_loss_lu) and not _reaches(blocks, before, spec, choice):
        for settings in LOUDER:
            choice = replace(choice, settings=settings, clip_db=spec.clip_db)
            if _reaches(blocks, before, spec, choice):
                break
        choice = replace(choice, cost=cost(choice.settings, depth_db))
    return choice


def _reaches(
    blocks: Callable[[], Iterator[Block]], before: LimiterForecast, spec: DeliverySpec, choice: LimiterChoice
) -> bool:
    """Whether the target is reached with all of the reduction.

    Not by the passages: a limiter that begins there from rest spares their beginning, which the song's never was.
    """
    if spec.ceiling_db is None or spec.lufs is None:
        return True
    highest_db = spec.ceiling_db + spec.max_reduction_db - before.readings.true_peak_db
    asked = replace(spec, driven=choice.settings, clip_db=choice.clip_db)
    return loudness_probe(blocks, before, asked)(highest_db) >= spec.lufs + _SPARED_LU


def loudest_passages(blocks: Iterator[Block], readings: Readings) -> Block:
    """The loudest passages of a song, (channel, time), one after another in its order.

    They don't overlap; of two that are equally loud the earlier one is taken.
    """
    rate, count = readings.sample_rate, len(readings.channel_power)
    wanted = int(np.clip(readings.frames / rate // _SONG_S_PER_PASSAGE, 1, MOST_PASSAGES))
    hops = round(PASSAGE_S * 1000.0 / HOP_MS)
    energy = readings.hop_energy
    sums = np.convolve(energy, np.ones(max(hops - 3, 1)), "valid") if energy.size >= hops else np.zeros(0)
    starts: list[int] = []
    while sums.size and sums.max() > 0.0 and len(starts) < wanted:
        at = int(sums.argmax())
        starts.append(at)
        sums[max(at - hops + 1, 0) : at + hops] = 0.0
    size, hop = round(PASSAGE_S * rate), round(HOP_MS * rate / 1000.0)
    places = [(at * hop, at * hop + size) for at in sorted(starts)] or [(0, size)]
    parts, position = [], 0
    for block in blocks:
        for start, stop in places:
            first, last = max(start - position, 0), min(stop - position, block.shape[1])
            if first < last:
                parts.append(block[:, first:last])
        position += block.shape[1]
        if position >= places[-1][1]:
            break
    found = np.concatenate(parts, axis=1) if parts else np.zeros((count, 0))
    return np.ascontiguousarray(found, np.float64)


class _LimiterTrial:
    """Passages, whose loudness is `level_db`, and what limiters leave of them."""

    def __init__(self, passages: Block, sample_rate: int, ceiling_db: float) -> None:
        self._passages, self._rate, self._ceiling_db = passages, sample_rate, ceiling_db
        self._k_weighting = np.ascontiguousarray(k_weighting_sections(sample_rate))
        self.level_db = self._loudness_db(passages)
        self._at: dict[tuple[float, float], Block] = {}
        self._lock = Lock()
        self._spectra = [_spectra(passages, size) for size in _SIZES]
        self._edges = _band_edges(sample_rate)

    @property
    def is_audible(self) -> bool:
        """Whether there is anything to compare."""
        return self._passages.shape[1] > _SIZES[0] and np.isfinite(self.level_db)

    def run(self, settings: LimiterSettings, depth_db: float, gain_db: float) -> tuple[float, float]:
        """Cost and loudness (of the passages, in dB) of settings at a gain."""
        audio = limit(self._clipped(depth_db, gain_db), self._ceiling_db, self._rate, settings)[0]
        level_db = self._loudness_db(audio)
        audio = audio * db_to_gain(self.level_db - level_db)
        costs = []
        for number, reference in enumerate(self._spectra):
            output = _spectra(audio, _SIZES[number])
            for y, x in zip(output, reference, strict=True):
                if x.any():
                    costs.append(_distance(y, x) + (_in_bands(y, x, self._edges) if number == 0 else 0.0))
        return float(np.mean(costs)), level_db

    def _clipped(self, depth_db: float, gain_db: float) -> Block:
        """The passages at a gain behind the clipper, which is the same for all limiters."""
        with self._lock:
            if (depth_db, gain_db) not in self._at:
                audio = self._passages * db_to_gain(gain_db)
                if depth_db > 0.0:
                    audio = clip_peaks(audio, self._ceiling_db, depth_db, self._rate)
                self._at[depth_db, gain_db] = audio
            return self._at[depth_db, gain_db]

    def _loudness_db(self, audio: Block) -> float:
        heard = np.empty_like(audio)
        state = np.zeros((len(audio), len(self._k_weighting), 2))
        stream_kernels.cascade(np.ascontiguousarray(audio), self._k_weighting, state, heard)
        power = float(np.square(heard).sum())
        return power_to_db(power) if power > 0.0 else -np.inf


def _spectra(audio: Block, size: int) -> NDArray[np.complex64]:
    """Of half-overlapping frames, (channel, frame, bin)."""
    frames = np.lib.stride_tricks.sliding_window_view(audio.astype(np.float32), size, axis=1)
    window = np.hanning(size).astype(np.float32)
    return rfft(frames[:, :: size // 2] * window)


def _band_edges(sample_rate: int) -> NDArray[np.int64]:
    """First bins of third octaves from 100 Hz to 16 kHz, or as far as the rate goes; the last is an end."""
    at_hz = np.arange(_SIZES[0] // 2 + 1) * (sample_rate / _SIZES[0])
    edges = np.searchsorted(at_hz, 100.0 * 2.0 ** (np.arange(23) / 3.0))
    return np.unique(edges[edges < at_hz.size]).astype(np.int64)


def _distance(output: NDArray[np.complex64], reference: NDArray[np.complex64]) -> float:
    y, x = np.abs(output), np.abs(reference)
    floor = _FLOOR * x.max()
    away = float(np.linalg.norm(y - x) / np.linalg.norm(x))
    return away + float(np.abs(np.log((y + floor) / (x + floor))).mean())


def _in_bands(
    output: NDArray[np.complex64], reference: NDArray[np.complex64], edges: NDArray[np.int64]
) -> float:
    """The terms of bands: what changed, what was added, and what is left where the song is quiet."""
    y, x, residual = (
        np.add.reduceat(np.square(np.abs(spectrum)), edges, axis=1)[:, :-1]
        for spectrum in (output, reference, output - reference)
    )
    whole = float(np.square(np.abs(reference)).sum())
    floor = _FLOOR * x.max() + 1e-30
    changed = 0.5 * float(np.abs(np.log((y + floor) / (x + floor))).mean())
    added = float(np.sqrt(np.maximum(residual - x, 0.0).sum() / whole))
    quiet = float(np.sqrt(residual[x < _QUIET * x.max(axis=1, keepdims=True)].sum() / whole))
    return changed + 4.0 * added + _QUIET_WEIGHT * quiet
