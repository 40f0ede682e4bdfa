"""What every model that has listened to a song can say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from neural_mastering.controls import ChainControls
from neural_mastering.dsp.rbj import Float64s
from neural_mastering.numeric.confidence import ConfidenceEstimate

if TYPE_CHECKING:  # imports torch
    from neural_mastering.rendering.stages.residual import ResidualSource

WINDOW_S = 5.0
"""Length of the windows in which a song is analysed."""


class ListenedTone(ABC):
    """What a model wants of a song.

    Attributes:
        label: the model's name.
        controls: as far as the model is followed.
        confidence: how far that is, and why; None where it is followed fully.
    """

    label: str
    controls: ChainControls
    confidence: ConfidenceEstimate | None

    @abstractmethod
    def residual_source(self, controls: ChainControls) -> ResidualSource | None:
        """The model's residual head with the song's z, where the controls ask for it."""

    @abstractmethod
    def restyled(self, style_db: Float64s) -> ChainControls | None:
        """The model's controls under a style (third,) in dB; None for a model that takes none."""
