"""The controls of a whole song in physical units: what is rendered, saved, edited and exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from neural_mastering.controls.bands import Bands
from neural_mastering.controls.catalogue import Values
from neural_mastering.dsp import rate_match
from neural_mastering.dsp.rbj import Float64s


@dataclass(frozen=True)
class ChainControls:
    """One song's settings of the chain EQ → gain → further stages → neural residual.

    Loudness and ceiling stand outside: they follow the delivery target, not the song's controls.

    Attributes:
        design_rate_hz: the sample rate at which the bands mean their curve (the training rate).
        eq: bands in series; a band at 0 dB does nothing.
        gain_db: broadband gain after the equaliser.
        stages: controls and settings of further stages by name, in the order of the chain; see
            `controls.catalogue`. Empty before phase 2.
        residual: name of the model whose neural residual joins, None without one.
        residual_amount: factor of the residual where it is added.
        limiter: settings of the delivery's clipper and limiter, see `controls.limiter_controls`; empty where the
            delivery finds them.
        words: strengths of the words that are in these numbers already, for the record; nothing is added for them.
    """

    design_rate_hz: float = 44_100.0
    eq: Bands = field(default_factory=Bands.of)
    gain_db: float = 0.0
    stages: Mapping[str, Values] = field(default_factory=dict)
    residual: str | None = None
    residual_amount: float = 1.0
    limiter: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, float] = field(default_factory=dict)

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names that strengths may use, in the order of the chain."""
        return ("eq", "gain", *self.stages, "residual")

    def eq_sections(self, sample_rate: float) -> Float64s:
        """Second-order sections (section, 6) of the equaliser at a sample rate; (0, 6) without bands.

        The magnitude is that of the design rate; see `Bands.sections`.
        """
        return self.eq.sections(self.design_rate_hz, sample_rate)

    def eq_deviation_db(self, sample_rate: float, high_hz: float = 16_000.0) -> float:
        """Largest deviation in dB of `eq_sections` from the curve of the design rate, up to `high_hz`."""
        return rate_match.max_deviation_db(
            self.eq_sections(sample_rate),
            self.eq.kinds,
            self.eq.frequency_hz,
            self.eq.gain_db,
            self.eq.q,
            design_rate_hz=self.design_rate_hz,
            sample_rate=sample_rate,
            high_hz=high_hz,
        )

    def as_dict(self) -> dict[str, Any]:
        """Controls as plain dictionaries, lists and numbers, for JSON."""
        return {
            "design_rate_hz": self.design_rate_hz,
            "eq": [vars(band) for band in self.eq],
            "gain_db": self.gain_db,
            "stages": {name: dict(values) for name, values in self.stages.items()},
            "residual": self.residual,
            "residual_amount": self.residual_amount,
            "limiter": dict(self.limiter),
            "words": dict(self.words),
        }
