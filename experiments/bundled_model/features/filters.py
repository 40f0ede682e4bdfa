"""What the filters of a degradation do to a curve and to mel bands."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.bundled_model.features.mel_powers import RATE, bins_hz
from neural_mastering.data.degradation import Degradation
from neural_mastering.dsp import biquad
from neural_mastering.models.encoders import LogMel

CURVE_HZ = torch.logspace(math.log10(30.0), math.log10(15_000.0), 64)
"""Where correction curves are compared: evenly spaced in octaves, up to where lossy sources hold something."""
POINT_WEIGHTS = torch.tensor([0.4, 0.8, 1.0, 0.8, 0.4]) / 3.4
"""Of the points of a mel band's triangle that stand for its bins."""
DRAWS_AT_ONCE = 256


@dataclass(frozen=True)
class Filters:
    """Filters of many degradations.

    Attributes:
        curve_db: (draw, frequency) at CURVE_HZ.
        bands_db: (draw, band) level change of each mel band.
        level_lufs: (draw,) loudness of the input.
    """

    curve_db: Tensor
    bands_db: Tensor
    level_lufs: Tensor


class FilterLevels:
    """Measures the filters of degradations at CURVE_HZ and in the mel bands of an encoder.

    Args:
        encoder: whose bands are meant.
    """

    def __init__(self, encoder: LogMel) -> None:
        at_hz = bins_hz(encoder)
        edges = [at_hz[row > 0] for row in encoder.filterbank.float()]
        points = torch.stack([torch.linspace(float(e[0]), float(e[-1]), len(POINT_WEIGHTS)) for e in edges])
        self._at_hz = torch.cat((CURVE_HZ, points.flatten().clamp(1.0, 0.4999 * RATE)))

    def of(self, degradations: Sequence[Degradation]) -> Filters:
        """Equaliser and low-pass of each degradation, which must be meant for RATE."""
        parts = [degradations[i : i + DRAWS_AT_ONCE] for i in range(0, len(degradations), DRAWS_AT_ONCE)]
        response_db = torch.cat([self._response_db(part) for part in parts])
        curve_db, points_db = response_db[:, : CURVE_HZ.numel()], response_db[:, CURVE_HZ.numel() :]
        points = torch.pow(10.0, points_db / 10.0).unflatten(1, (-1, POINT_WEIGHTS.numel()))
        level_lufs = torch.tensor([degradation.level_lufs for degradation in degradations])
        return Filters(curve_db, 10.0 * torch.log10(points @ POINT_WEIGHTS), level_lufs)

    def _response_db(self, degradations: Sequence[Degradation]) -> Tensor:
        """(item, CURVE_HZ and points of the bands)."""
        rows = []
        for kind in biquad.KINDS:
            own = [[band for band in d.bands if band.kind == kind] for d in degradations]
            count = max(len(bands) for bands in own)
            if not count:
                continue
            filled = [
                [(b.frequency_hz, b.gain_db, b.q) for b in bands]
                + [(1000.0, 0.0, 1.0)] * (count - len(bands))
                for bands in own
            ]
            frequency_hz, gain_db, q = torch.tensor(filled).unbind(dim=-1)
            kinds: list[biquad.Kind] = [kind] * count
            rows.append(biquad.response_db(frequency_hz, gain_db, q, self._at_hz, RATE, kinds))
        total = torch.stack(rows).sum(dim=0) if rows else torch.zeros(len(degradations), self._at_hz.numel())
        corner = torch.tensor([d.lowpass_hz or 1e9 for d in degradations])[:, None]
        warped = torch.tan(math.pi * corner.clamp(max=0.49 * RATE) / RATE)
        return total + torch.where(corner < 0.49 * RATE, lowpass_db(self._at_hz, warped), 0.0)


def lowpass_db(at_hz: Tensor, warped_corner: Tensor | float) -> Tensor:
    """Level of a digital Butterworth low-pass of second order at RATE; the corner as tan(π·corner_hz/RATE)."""
    warped = torch.tan(math.pi * at_hz / RATE) / warped_corner
    return -10.0 * torch.log10(1.0 + warped**4)
