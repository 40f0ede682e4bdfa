"""What a system did to a song, as plain numbers: its curve, its bands, its gain."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neural_mastering.controls import Bands, EqBand
from neural_mastering.dsp.ltas import interpolate_third_octaves
from neural_mastering.dsp.rbj import Kind
from neural_mastering.rendering.tone.from_model import ModelTone
from neural_mastering.reporting.markup import number
from neural_mastering.reporting.report_data import EqCurve

CURVE_HZ = np.geomspace(20.0, 20_000.0, 241)
"""Where curves are drawn and compared."""


@dataclass(frozen=True)
class BandTrace:
    """One band of an equaliser, open or closed.

    Attributes:
        number: from 1 at the low end.
        kind, frequency_hz, gain_db, q: as in the filter; a closed band has 0 dB.
        is_open: whether it takes part.
        probability: that its gate is open; 1 where bands are always on.
        held: open because of the least number of bands, whatever its gate says.
    """

    number: int
    kind: Kind
    frequency_hz: float
    gain_db: float
    q: float
    is_open: bool
    probability: float
    held: bool

    @property
    def label(self) -> str:
        """Such as "1 low shelf" or "4 peak"."""
        return f"{self.number} {self.kind.replace('_', ' ')}"


@dataclass(frozen=True)
class ControlsTrace:
    """One song's controls.

    Attributes:
        curve_db: true total response of the equaliser at `CURVE_HZ`, without the broadband gain.
        gain_db: broadband gain.
        bands: of the parametric equaliser; empty for a baseline's filter.
        bands_db: (open band, frequency) response of each open band.
        stages: controls of further stages, by stage and name with its unit; a list where each band has its own.
        followed: share of the model's equaliser that is used, which is in these numbers already.
    """

    curve_db: NDArray[np.float64]
    gain_db: float
    bands: tuple[BandTrace, ...] = ()
    bands_db: NDArray[np.float64] | None = None
    stages: Mapping[str, Mapping[str, float | list[float]]] = field(default_factory=dict)
    followed: float = 1.0

    def eq_curve(self) -> EqCurve:
        """For a report."""
        bands = [EqBand(b.kind, b.frequency_hz, b.gain_db, b.q) for b in self.bands if b.is_open]
        return EqCurve(CURVE_HZ, self.curve_db, bands, self.bands_db)

    def words(self) -> list[str]:
        """The open bands and the gain in sentences, the largest move first."""
        lines = []
        for band in sorted((b for b in self.bands if b.is_open), key=lambda b: -abs(b.gain_db)):
            at = (
                f"{band.frequency_hz:.0f} Hz"
                if band.frequency_hz < 1e3
                else f"{band.frequency_hz / 1e3:.1f} kHz"
            )
            place = {"low_shelf": f"below {at}", "high_shelf": f"above {at}"}.get(band.kind, f"at {at}")
            lines.append(f"{number(band.gain_db, 1, signed=True)} dB {place} (Q {band.q:.2f})")
        if self.followed != 1.0:
            lines.append(
                f"{100.0 * self.followed:.0f} % of the model's equaliser is used, as far as it is trusted"
            )
        if self.bands or self.gain_db:
            lines.append(f"{number(self.gain_db, 1, signed=True)} dB broadband gain")
        return lines

    def numbers(self) -> dict[str, float]:
        """Labels with units → values."""
        numbers = {"gain (dB)": self.gain_db}
        if self.bands:
            numbers["open bands"] = float(sum(band.is_open for band in self.bands))
        if self.followed != 1.0:
            numbers["equaliser used (%)"] = 100.0 * self.followed
        for stage, controls in self.stages.items():
            for name, value in controls.items():
                if isinstance(value, list):
                    numbers |= {f"{stage} {name}, band {i + 1}": v for i, v in enumerate(value)}
                else:
                    numbers[f"{stage} {name}"] = value
        return numbers


@torch.inference_mode()
def model_trace(tone: ModelTone) -> ControlsTrace:
    """The controls that a model asks for, closed bands and resting stages included."""
    model, analysis = tone.model, tone.analysis
    decoded = model.eq_controls(analysis)
    followed = 1.0 if tone.confidence is None else tone.confidence.confidence
    kinds, gates = model.eq_head.eq.kinds, decoded.gates
    columns = {key: value[0].double().numpy() for key, value in decoded.eq.items()}
    rows = Bands(kinds, columns["frequency_hz"], followed * columns["gain_db"], columns["q"])
    bands = tuple(
        BandTrace(
            i, row.kind, row.frequency_hz, row.gain_db, row.q, bool(is_open), float(probability), bool(held)
        )
        for i, (row, is_open, probability, held) in enumerate(
            zip(
                rows,
                gates.is_open[0].tolist(),
                gates.open_probability[0].tolist(),
                gates.held[0].tolist(),
                strict=True,
            ),
            start=1,
        )
    )
    levels_db = rows.band_levels_db(CURVE_HZ, model.sample_rate)
    opened = [i for i, band in enumerate(bands) if band.is_open]
    stages = {
        stage: {name: values[0].tolist() for name, values in chosen.items()}
        for stage, chosen in model.chain_controls(analysis).items()
    }
    return ControlsTrace(
        curve_db=levels_db.sum(axis=0),
        gain_db=tone.controls.gain_db,
        bands=bands,
        bands_db=levels_db[opened] if opened else None,
        stages=stages,
        followed=followed,
    )


def curve_trace(third_octaves_db: Tensor | None, gain_db: float) -> ControlsTrace:
    """A baseline's filter, given in third octaves, and its gain."""
    if third_octaves_db is None:
        return ControlsTrace(np.zeros_like(CURVE_HZ), gain_db)
    curve = interpolate_third_octaves(third_octaves_db, torch.from_numpy(CURVE_HZ).float())
    return ControlsTrace(curve.double().numpy(), gain_db)
