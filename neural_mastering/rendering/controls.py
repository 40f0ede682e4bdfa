"""The controls of a whole song in physical units: what is rendered, saved, edited and exported."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from neural_mastering.dsp.biquad import Kind


@dataclass(frozen=True)
class EqBand:
    """One band of the parametric equaliser (RBJ)."""

    kind: Kind
    frequency_hz: float
    gain_db: float
    q: float


@dataclass(frozen=True)
class ChainControls:
    """One song's settings of the chain EQ → gain → further stages → neural residual.

    The loudness and ceiling stage stands outside: it follows the delivery target, not the song's controls.

    Attributes:
        design_rate_hz: the sample rate at which the bands mean their curve (the training rate).
        eq: bands in series; a band at 0 dB does nothing.
        gain_db: broadband gain after the equaliser.
        stages: controls of the grey-box stages by stage name, in the order of the chain, keyed as
            `Processor.specs` are (`threshold_db`, `attack_ms`); empty before phase 2.
        residual: name of the model whose neural residual joins, None without one.
    """

    design_rate_hz: float = 44_100.0
    eq: tuple[EqBand, ...] = ()
    gain_db: float = 0.0
    stages: Mapping[str, Mapping[str, float | tuple[float, ...]]] = field(default_factory=dict)
    residual: str | None = None
