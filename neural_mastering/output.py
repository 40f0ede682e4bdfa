"""What a mastering model returns, the same type in every phase."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool

from neural_mastering.shapes import Audio, Bands


@dataclass(frozen=True)
class Gates:
    """Which equaliser bands take part.

    Attributes:
        values: multiplies each band's gain in dB; 0 removes the band exactly, 1 leaves it as it is.
        open_probability: chance that a gate is not exactly 0 (1 for heads whose bands are always on).
        held: boolean (batch, band), bands that are on whatever their gates say.
    """

    values: Bands
    open_probability: Bands
    held: Bool[torch.Tensor, "batch band"]

    @property
    def is_open(self) -> torch.Tensor:
        """Boolean (batch, band): the gate is not exactly 0."""
        return self.values > 0

    @property
    def expected_excess(self) -> torch.Tensor:
        """Expected number of open gates less the number of held bands, (batch,).

        Held bands count by their gates' own probability: one that is held and of no use must become less
        probable than one that is needed, so that they change places.
        """
        return self.open_probability.sum(dim=-1) - self.held.sum(dim=-1)


@dataclass(frozen=True)
class MasteringOutput:
    """Audio, and how it came about.

    Attributes:
        audio: the result.
        stages: the signal after each stage, by the stage's name, in order.
        controls: physical controls by processor and name, such as `controls["eq"]["gain_db"]`
            (batch, band), with closed bands at 0 dB. These numbers alone reproduce the DSP stages.
        gates: of the equaliser's bands; None only for systems that have no equaliser (a baseline).
        residual: what the neural residual added; zeros where there is none.
    """

    audio: Audio
    stages: Mapping[str, Audio]
    controls: Mapping[str, Mapping[str, torch.Tensor]] = field(default_factory=dict)
    gates: Gates | None = None
    residual: Audio | None = None

    @classmethod
    def of_audio(cls, audio: Audio) -> "MasteringOutput":
        """An output that is only audio: a baseline, or another tool's master."""
        return cls(audio=audio, stages={})
