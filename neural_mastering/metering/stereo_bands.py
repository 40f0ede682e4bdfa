"""Left and right by third octaves: correlation, and what each band loses when it is folded down to mono."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.units import power_to_db, third_octave_hz

DROP_DB = -6.0
"""A band that loses more than this in mono is said: its correlation is below −0.5."""

HEARD_DB = -40.0
"""Bands this far below the loudest third octave are left out."""

INVERTED = -0.5
FLOOR_DB = -60.0


@dataclass(frozen=True)
class FoldDownRegion:
    """Neighbouring third octaves that lose more than 6 dB in mono.

    Attributes:
        low_hz, high_hz: its edges.
        drop_db: what the region loses as a whole, below 0.
    """

    low_hz: float
    high_hz: float
    drop_db: float


@dataclass(frozen=True)
class StereoBands:
    """Of a whole stereo song.

    Attributes:
        correlation: (third,) of left and right; NaN where a band holds nothing.
        fold_down_db: (third,) level of (L + R)/2 over the mean of both channels: 0 for equal ones, −3 dB for
            unrelated ones, −60 at least.
        heard: (third,) bands within 40 dB of the loudest.
        regions: what would be missed in mono.
        inverted_share: part of the heard bands that have a correlation below −0.5.
    """

    correlation: Float64s
    fold_down_db: Float64s
    heard: NDArray[np.bool_]
    regions: tuple[FoldDownRegion, ...]
    inverted_share: float

    def as_dict(self) -> dict[str, list[float | None]]:
        """For JSON: None in bands that are not heard."""

        def shown(values: Float64s, digits: int) -> list[float | None]:
            pairs = zip(values, self.heard, strict=True)
            return [round(float(value), digits) if heard else None for value, heard in pairs]

        return {
            "frequency_hz": [round(float(hz), 1) for hz in CENTRES_HZ],
            "correlation": shown(self.correlation, 3),
            "fold_down_db": shown(self.fold_down_db, 2),
        }


def stereo_bands(at_hz: Float64s, left: Float64s, right: Float64s, cross: Float64s) -> StereoBands:
    """From the power of both channels and the real part of their cross power at evenly spaced frequencies."""
    width = float(at_hz[1] - at_hz[0])
    half = third_octave_hz(0.5)
    low, high = CENTRES_HZ[:, None] / half, CENTRES_HZ[:, None] * half
    overlap = np.minimum(high, at_hz + width / 2.0) - np.maximum(low, at_hz - width / 2.0)
    weights = np.clip(overlap / width, 0.0, 1.0)
    in_left, in_right, in_both = weights @ left, weights @ right, weights @ cross
    mean = 0.5 * (in_left + in_right)
    mono = np.maximum(0.25 * (in_left + in_right + 2.0 * in_both), 0.0)
    loudest = float(mean.max(initial=0.0))
    heard = power_to_db(mean / max(loudest, 1e-30) + 1e-30) > HEARD_DB
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = in_both / np.sqrt(in_left * in_right)
    ratio = np.divide(mono, mean, out=np.ones_like(mono), where=mean > 0.0)
    fold_down_db = np.maximum(power_to_db(ratio + 1e-12), FLOOR_DB)
    is_inverted = heard & (np.nan_to_num(correlation, nan=1.0) < INVERTED)
    return StereoBands(
        correlation,
        fold_down_db,
        heard,
        _regions(heard & (fold_down_db < DROP_DB), mean, mono),
        float(is_inverted.sum() / max(heard.sum(), 1)),
    )


def _regions(missed: NDArray[np.bool_], mean: Float64s, mono: Float64s) -> tuple[FoldDownRegion, ...]:
    found, half = [], third_octave_hz(0.5)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missed, [False]]).astype(int)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        ratio = float(mono[start:stop].sum() / mean[start:stop].sum())
        drop_db = max(power_to_db(ratio + 1e-12), FLOOR_DB)
        found.append(
            FoldDownRegion(float(CENTRES_HZ[start] / half), float(CENTRES_HZ[stop - 1] * half), drop_db)
        )
    return tuple(found)
