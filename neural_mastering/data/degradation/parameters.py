"""What was done to a track, in physical units: the known answer that a model's controls are scored against."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neural_mastering.data.errors import DataError
from neural_mastering.dsp import biquad
from neural_mastering.dsp.biquad import Kind

HIGHEST_SHARE_OF_RATE = 0.45
"""Bands and low-passes above this share of the sample rate are left out: there is little left to filter."""


@dataclass(frozen=True)
class DegradationBand:
    """One biquad of the equaliser, an RBJ cookbook filter at the file's sample rate.

    Attributes:
        kind: low_shelf, peak or high_shelf.
        frequency_hz, gain_db, q: as in `neural_mastering.dsp.biquad.equalize`.
    """

    kind: Kind
    frequency_hz: float
    gain_db: float
    q: float


@dataclass(frozen=True)
class Expansion:
    """One half of the expander's static curve.

    Attributes:
        threshold_db: level relative to the track's integrated loudness.
        ratio: dB out per dB in beyond the threshold, ≥ 1: above it (upward) or below it (downward).
        limit_db: the most that the gain may change.
    """

    threshold_db: float
    ratio: float
    limit_db: float


NO_EXPANSION = Expansion(0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Degradation:
    """input = gain · low-pass · EQ · width · expander(target), in the order in which mastering is undone.

    Attributes:
        upward, downward: expansion of what is louder than its threshold, and of what is quieter.
        attack_ms, release_ms: time constants of the expander's gain when it rises and when it falls.
        width: factor of the side signal (L − R)/2; 1 leaves it as it is.
        bands: of the equaliser, in series.
        lowpass_hz: corner (−3 dB) of a second-order Butterworth low-pass, or None.
        level_lufs: integrated loudness that was drawn for the input.
        sample_rate: at which the filters were computed, in Hz; 0 before the degradation is applied.
        reference_lufs: integrated loudness of the track, what the thresholds are relative to; NaN before.
        gain_db: the last gain; NaN before.
    """

    upward: Expansion
    downward: Expansion
    attack_ms: float
    release_ms: float
    width: float
    bands: tuple[DegradationBand, ...]
    lowpass_hz: float | None
    level_lufs: float
    sample_rate: int = 0
    reference_lufs: float = math.nan
    gain_db: float = math.nan

    def at_rate(self, sample_rate: int, channels: int) -> "Degradation":
        """What of this can be done at a sample rate: bands and a low-pass beyond 0.45 of it are left out.

        A mono track has no width.
        """
        highest_hz = HIGHEST_SHARE_OF_RATE * sample_rate
        keeps_lowpass = self.lowpass_hz is not None and self.lowpass_hz <= highest_hz
        return dataclasses.replace(
            self,
            bands=tuple(band for band in self.bands if band.frequency_hz <= highest_hz),
            lowpass_hz=self.lowpass_hz if keeps_lowpass else None,
            width=self.width if channels == 2 else 1.0,
            sample_rate=sample_rate,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain containers for JSON; NaN, which JSON has not, becomes None."""
        plain = dataclasses.asdict(self)
        return {key: None if isinstance(v, float) and math.isnan(v) else v for key, v in plain.items()}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "Degradation":
        """The inverse of `to_dict`.

        Raises:
            DataError: entries are missing or unknown.
        """
        try:
            plain = dict(values)
            plain["upward"], plain["downward"] = (Expansion(**plain[k]) for k in ("upward", "downward"))
            plain["bands"] = tuple(DegradationBand(**band) for band in plain["bands"])
            for key in ("reference_lufs", "gain_db"):
                plain[key] = math.nan if plain[key] is None else plain[key]
            return Degradation(**plain)
        except (KeyError, TypeError) as error:
            raise DataError(f"these are not the parameters of a degradation ({error})") from error


def eq_curve_db(degradation: Degradation, at_hz: Tensor) -> Float[Tensor, " frequency"]:
    """Level of the degradation's equaliser (its bands alone) in dB at the frequencies `at_hz` (frequency,).

    An equaliser that undoes it has the negative of this curve. Neither the low-pass nor the gain is in it.
    """
    if not degradation.bands:
        return torch.zeros(at_hz.shape, dtype=torch.float64)
    frequency, gain, q = (
        torch.tensor([[getattr(band, name) for band in degradation.bands]], dtype=torch.float64)
        for name in ("frequency_hz", "gain_db", "q")
    )
    kinds: list[Kind] = [band.kind for band in degradation.bands]
    return biquad.response_db(frequency, gain, q, at_hz.double(), degradation.sample_rate, kinds)[0]
