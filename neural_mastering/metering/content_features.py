"""Formulas of the content features: envelopes of octaves, and the fine structure of spectra, as numbers by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from neural_mastering.metering.fine_structure import fine_structure
from neural_mastering.units import power_to_db

Float32s = NDArray[np.float32]
Float64s = NDArray[np.float64]

LOW_HZ, OCTAVES = 44.2, 8
"""Octaves around 63 Hz, 125 Hz … 8 kHz; the last one ends at 11.3 kHz, below the edges of most lossy codecs."""

THIRDS = 3 * OCTAVES

FLOOR_DB = 45.0
"""Below its own mean an octave's level runs into a floor."""

GATE_DB = 30.0
"""Frames that lie this far below the octaves' means, on average, are silence at the ends and not counted."""

MODULATIONS_HZ = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Edges of the ranges in which fluctuations of level are measured."""

_SEGMENT_S = 8.0


@dataclass(frozen=True)
class Envelopes:
    """Powers of octaves over time.

    Attributes:
        frame_rate_hz: frames a second.
        mid, side: (octave, frame) of (L + R)/2 and (L − R)/2, in float32: 5 MB an hour each.
    """

    frame_rate_hz: float
    mid: Float32s
    side: Float32s


@dataclass(frozen=True)
class LongSpectrum:
    """Spectra of long windows.

    Attributes:
        at_hz, power: (bin,) the long-term power.
        flatness_db: (third, frame) mean of the logarithms of a third octave's bins less that of their mean.
        third_power: (third, frame).
    """

    at_hz: Float64s
    power: Float64s
    flatness_db: Float64s
    third_power: Float64s


def third_edges_hz() -> Float64s:
    """Edges of the third octaves, three in each octave."""
    return LOW_HZ * 2.0 ** (np.arange(THIRDS + 1) / 3.0)


NOMINAL_HZ = (
    *(50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630),
    *(800, 1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300, 8000, 10000),
)
"""Of the third octaves; every third one, from 63 Hz on, names an octave."""


def content_features(envelopes: Envelopes, fine: LongSpectrum, is_stereo: bool) -> dict[str, float] | None:
    """All features by name, finite; None where hardly anything sounds.

    Args:
        envelopes: of at least some seconds.
        fine: of the same audio.
        is_stereo: whether there is a side at all.
    """
    levels = _levels_db(envelopes)
    if levels is None:
        return None
    heard = np.flatnonzero(levels.mean(axis=0) > -GATE_DB)
    if heard.size < envelopes.frame_rate_hz * 2.0:
        return None
    span = slice(int(heard[0]), int(heard[-1]) + 1)
    levels, side, mid = levels[:, span], envelopes.side[:, span], envelopes.mid[:, span]
    found: dict[str, float] = {}
    for part in (
        _distribution(levels),
        _modulation(levels, envelopes.frame_rate_hz),
        _onsets(levels, envelopes.frame_rate_hz),
        _correlations(levels),
        _tonality(fine),
        _notes(fine),
        _width(mid, side, is_stereo),
    ):
        found |= {name: float(value) for name, value in part}
    return {name: value if np.isfinite(value) else 0.0 for name, value in found.items()}


def _levels_db(envelopes: Envelopes) -> Float64s | None:
    """Levels over each octave's mean power, (octave, frame), at least −`FLOOR_DB`; None for silence."""
    # octave by octave: an intermediate result of all of them is 10 MB an hour
    means = np.array([_total(envelopes, octave).mean() for octave in range(OCTAVES)])
    if not means.max() > 0.0:
        return None
    means = np.maximum(means, means.max() * 1e-12)
    levels = np.empty(envelopes.mid.shape)
    for octave, mean in enumerate(means):
        relative_db = power_to_db(_total(envelopes, octave) / mean + 1e-30)
        np.maximum(relative_db, -FLOOR_DB, out=levels[octave])
    return levels


def _total(envelopes: Envelopes, octave: int) -> Float64s:
    return envelopes.mid[octave].astype(np.float64) + envelopes.side[octave]


Named = Iterator[tuple[str, float]]


def _each(name: str, values: Float64s) -> Named:
    """One number for each octave, or for each third octave."""
    names = NOMINAL_HZ if len(values) == THIRDS else NOMINAL_HZ[1::3]
    for at_hz, value in zip(names, values, strict=True):
        yield f"{name}_{at_hz}", value


def _distribution(levels: Float64s) -> Named:
    """How the levels of each octave are spread about their median."""
    quantiles, moments = [], []
    common = np.zeros(levels.shape[1])
    for octave in levels:
        quantiles.append(np.quantile(octave, [0.05, 0.5, 0.95, 0.99]))
        centred = octave - octave.mean()
        deviation = max(float(centred.std()), 0.1)
        moments.append((deviation, (centred**3).mean() / deviation**3))
        common += centred / OCTAVES
    q05, q50, q95, q99 = np.array(quantiles).T
    deviations, skews = np.array(moments).T
    yield from _each("spread", np.log(deviations))
    yield from _each("skew", np.clip(skews, -4.0, 4.0))
    yield from _each("upper", np.log(q95 - q50 + 0.1))
    yield from _each("lower", np.log(q50 - q05 + 0.1))
    yield from _each("peaks", np.log(q99 - q50 + 0.1))
    yield "spread_common", np.log(max(common.std(), 0.1))
    yield "upper_common", np.log(np.quantile(common, 0.95) - np.median(common) + 0.1)


def _modulation(levels: Float64s, rate_hz: float) -> Named:
    """Fluctuations of each octave's level by modulation frequency, in dB of their variance (Welch, Hann, 8 s)."""
    size = min(round(_SEGMENT_S * rate_hz), levels.shape[1])
    window = np.hanning(size)
    power = np.zeros((len(levels), size // 2 + 1))
    starts = range(0, levels.shape[1] - size + 1, max(size // 2, 1))
    for start in starts:
        part = levels[:, start : start + size]
        part = (part - part.mean(axis=1, keepdims=True)) * window
        power += np.abs(np.fft.rfft(part, axis=1)) ** 2
    power *= 2.0 / (len(starts) * size * (window**2).sum())
    at_hz = np.arange(size // 2 + 1) * rate_hz / size
    half = 0.5 * rate_hz / size
    for low, high in pairwise(MODULATIONS_HZ):
        inside = np.minimum(high, at_hz + half) - np.maximum(low, at_hz - half)
        weight = np.clip(inside / (2.0 * half), 0.0, 1.0)  # a bin across an edge counts in part
        yield from _each(f"modulation_{low:g}", np.asarray(power_to_db(power @ weight + 0.01)))


def _onsets(levels: Float64s, rate_hz: float) -> Named:
    """Rises of level: their size, how many a second, how regular."""
    rows: list[tuple[float, ...]] = []
    groups = {name: np.zeros(levels.shape[1] - 1) for name in ("low", "middle", "high")}
    for number, octave in enumerate(levels):
        step = np.diff(octave)
        rise, fall = np.maximum(step, 0.0), np.maximum(-step, 0.0)
        square = (rise**2).mean()
        attack = np.log((square + 0.1) / ((fall**2).mean() + 0.1))
        bursts = np.log((rise**4).mean() / (square + 1e-3) ** 2 + 1.0)
        rows.append((np.log(rise.mean() + 0.05), attack, (rise > 3.0).mean(), (rise > 9.0).mean(), bursts))
        name, size = ("low", 2) if number < 2 else ("middle", 3) if number < 5 else ("high", OCTAVES - 5)
        groups[name] += rise / size
    flux, attacks, over_3, over_9, all_bursts = np.array(rows).T
    yield from _each("flux", flux)
    yield from _each("attack", attacks)
    yield from _each("rises_3", np.sqrt(over_3))
    yield from _each("rises_9", np.sqrt(over_9))
    yield from _each("bursts", all_bursts)
    for name, curve in groups.items():
        yield f"pulse_{name}", _pulse(curve, rate_hz)
    names = list(groups)
    for i in range(3):
        for j in range(i + 1, 3):
            yield f"together_{names[i]}_{names[j]}", _correlation(groups[names[i]], groups[names[j]])


def _pulse(flux: Float64s, rate_hz: float) -> float:
    """Largest autocorrelation of an onset curve at a lag of 0.2 to 1.5 s."""
    centred = flux - flux.mean()
    size = 1 << int(np.ceil(np.log2(2 * len(centred))))
    correlation = np.fft.irfft(np.abs(np.fft.rfft(centred, size)) ** 2)
    low, high = round(0.2 * rate_hz), min(round(1.5 * rate_hz), len(centred) - 1)
    if high <= low or correlation[0] <= 1e-9:
        return 0.0
    return float(correlation[low:high].max() / correlation[0])


def _correlations(levels: Float64s) -> Named:
    """Which octaves move together."""
    centred = levels - levels.mean(axis=1, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=1)) + 1.0
    matrix = (centred @ centred.T) / norm[:, None] / norm[None, :]
    octaves = NOMINAL_HZ[1::3]
    for i in range(OCTAVES):
        for j in range(i + 1, OCTAVES):
            yield f"with_{octaves[i]}_{octaves[j]}", float(matrix[i, j])
    values = np.linalg.eigvalsh(matrix)
    yield "together", float(values[-1] / OCTAVES)


def _tonality(fine: LongSpectrum) -> Named:
    """How tonal each octave is: flatness of the bins of third octaves, in single windows and over all of them."""
    power = fine.third_power
    mean = np.maximum(power.mean(axis=1, keepdims=True), 1e-30)
    sounding = power > 0.01 * mean
    count = np.maximum(sounding.sum(axis=1), 1)
    flatness = np.where(sounding, fine.flatness_db, 0.0)
    average = flatness.sum(axis=1) / count
    spread = np.sqrt(np.where(sounding, (flatness - average[:, None]) ** 2, 0.0).sum(axis=1) / count)
    edges = np.searchsorted(fine.at_hz, third_edges_hz())
    long_term = []
    for low, high in pairwise(edges):
        part = np.maximum(fine.power[low : max(high, low + 1)], 1e-30)
        long_term.append(np.log(part).mean() - np.log(part.mean()))
    single, whole = np.clip(average, -8.0, 0.0), np.clip(np.array(long_term), -8.0, 0.0)
    yield from _each("flat", single)
    yield from _each("flat_spread", np.log(spread.reshape(OCTAVES, 3).mean(axis=1) + 0.05))
    yield from _each("flat_long", whole)
    yield from _each("steady", (whole - single).reshape(OCTAVES, 3).mean(axis=1))
    third_db = np.maximum(power_to_db(power / mean + 1e-30), -40.0)
    inner = third_db.reshape(OCTAVES, 3, -1)
    yield from _each("wander", np.log((inner - inner.mean(axis=1, keepdims=True)).std(axis=(1, 2)) + 0.1))


def _notes(fine: LongSpectrum) -> Named:
    """The fine structure of the long-term spectrum: peaks, their heights, and the grid of semitones and octaves."""
    structure = fine_structure(fine.at_hz[1:], fine.power[1:])
    for octave in range(5):
        part = structure[octave * 48 : (octave + 1) * 48]
        deviation = part.std() + 0.1
        yield f"notes_{octave}", np.log(deviation)
        yield f"notes_skew_{octave}", float((part**3).mean() / deviation**3)
        phase = np.exp(2j * np.pi * np.arange(len(part)) / 4.0)
        yield f"semitones_{octave}", float(abs((part * phase).mean()) / deviation)
    for name, lag in (("octave", 48), ("fifth", 28), ("fourth", 20)):
        yield f"notes_{name}", _correlation(structure[lag:], structure[:-lag])


def _width(mid: Float32s, side: Float32s, is_stereo: bool) -> Named:
    """Side over mid by octave less its mean over octaves, and how it moves."""
    ratio, moving = np.full(OCTAVES, -40.0), np.full(OCTAVES, np.log(0.3))
    for octave in range(OCTAVES if is_stereo else 0):
        one, other = side[octave].astype(np.float64), mid[octave].astype(np.float64)
        floor = 1e-6 * (one + other).mean() + 1e-30
        ratio[octave] = power_to_db(one.mean() + floor) - power_to_db(other.mean() + floor)
        frames = np.clip(power_to_db(one + floor) - power_to_db(other + floor), -40.0, 10.0)
        moving[octave] = np.log(frames.std() + 0.3)
    ratio = np.clip(ratio, -40.0, 10.0)
    yield "is_wide", float(np.clip(ratio.mean(), -25.0, 0.0))
    yield from _each("width", ratio - ratio.mean())
    yield from _each("width_moves", moving)


def _correlation(one: Float64s, other: Float64s) -> float:
    scale = float(one.std() * other.std())
    return float(((one - one.mean()) * (other - other.mean())).mean() / scale) if scale > 1e-9 else 0.0
