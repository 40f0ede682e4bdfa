"""Planted mistakes: random equalisers of a family that no system's prior was made from, of an exact size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.signal
from scipy.optimize import root_scalar

from neural_mastering.chance import seed_of
from neural_mastering.controls import Bands
from neural_mastering.controls.bands import EqBand
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, Float64s

DESIGN_RATE_HZ = 44_100.0
PEAK_AT = 0.98
LARGEST_BAND_DB = 15.0
"""A drawing whose bands would need more than this for the size is drawn again."""


class Condition(NamedTuple):
    """A kind of mistake and its size; the curve's RMS over `BROAD` less its mean."""

    kind: str
    size_db: float

    @property
    def name(self) -> str:
        """Such as "random 2 dB"."""
        return f"{self.kind} {self.size_db:g} dB" if self.size_db else self.kind


FINISHED = Condition("finished", 0.0)
CONDITIONS = (
    *(Condition("random", size) for size in (1.0, 2.0, 4.0)),
    *(Condition(kind, size) for kind in ("dull", "boomy") for size in (1.6, 3.2)),
    FINISHED,
)


def rms_of(curve_db: Float64s, bands: np.ndarray = BROAD) -> float:
    """Root mean square over bands, less the mean over them."""
    return float(curve_db[bands].std())


def draw(condition: Condition, *names: str | int) -> Bands:
    """The mistake of a song, a function of the names and the condition alone.

    "random": second-order low and high shelf and one to three peaks of Q 0.5–2 from 50 Hz to 12 kHz. "dull": a high
    shelf cut from 1.5–6 kHz. "boomy": a low shelf raised below 100–300 Hz. Gains are scaled to the exact size.
    """
    if condition == FINISHED:
        return Bands.of()
    rng = np.random.default_rng(seed_of("mistake", *names, condition.name))
    while True:
        bands = _scaled_to(_SHAPES[condition.kind](rng), condition.size_db)
        if bands is not None:
            return bands


def curve_db(bands: Bands) -> Float64s:
    """(third,) level of the bands in the middle of each third octave."""
    return bands.level_db(CENTRES_HZ, DESIGN_RATE_HZ)


def with_mistake(samples: Float64s, sample_rate: int, bands: Bands) -> Float64s:
    """Samples (time, channel) after the bands, turned down where a peak would pass 0.98."""
    filtered: Float64s = samples
    if len(bands):
        filtered = np.asarray(
            scipy.signal.sosfilt(bands.sections(DESIGN_RATE_HZ, sample_rate), samples, axis=0)
        )
    return filtered * min(1.0, PEAK_AT / max(float(np.abs(filtered).max()), 1e-9))


def mean_correction(names: Sequence[str]) -> Float64s:
    """The one curve that suits all mistakes best: less the mean of those that are drawn for such names."""
    curves = [curve_db(draw(c, "mean", name)) for name in names for c in CONDITIONS if c != FINISHED]
    mean = -np.mean(curves, axis=0)
    return mean - mean[BROAD].mean()


def _scaled_to(bands: Bands, size_db: float) -> Bands | None:
    most = LARGEST_BAND_DB / float(np.abs(bands.gain_db).max())

    def excess(share: float) -> float:
        return rms_of(curve_db(bands.scaled(share))) - size_db

    if excess(most) <= 0.0:
        return None
    return bands.scaled(root_scalar(excess, bracket=(0.0, most), xtol=1e-9).root)


def _random(rng: np.random.Generator) -> Bands:
    peaks = [
        EqBand("peak", _log_uniform(rng, 50.0, 12_000.0), rng.normal(), _log_uniform(rng, 0.5, 2.0))
        for _ in range(rng.integers(1, 4))
    ]
    low = EqBand("low_shelf", _log_uniform(rng, 60.0, 400.0), rng.normal(), 0.71)
    high = EqBand("high_shelf", _log_uniform(rng, 2_000.0, 10_000.0), rng.normal(), 0.71)
    return Bands.of((low, *peaks, high))


def _dull(rng: np.random.Generator) -> Bands:
    return Bands.of([EqBand("high_shelf", _log_uniform(rng, 1_500.0, 6_000.0), -1.0, 0.71)])


def _boomy(rng: np.random.Generator) -> Bands:
    return Bands.of([EqBand("low_shelf", _log_uniform(rng, 100.0, 300.0), 1.0, 0.71)])


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(low * (high / low) ** rng.random())


_SHAPES = {"random": _random, "dull": _dull, "boomy": _boomy}
