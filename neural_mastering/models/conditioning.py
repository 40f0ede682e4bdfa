"""What the heads are told beside z: nothing, or a style, the curve by which the result shall differ."""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from neural_mastering.dsp.ltas import third_octave_centres_hz
from neural_mastering.models.blocks.film import FiLM
from neural_mastering.shapes import Latent

Style = Float[Tensor, "batch third"]
"""Third octaves in dB from 25 Hz to 16 kHz (`dsp.ltas.third_octave_centres_hz`)."""

UNIT_DB = 1.5
"""A style is divided by this: the size of a word at strength 1."""


class Conditioning(nn.Module, ABC):
    """z and a style → what the heads of equaliser and chain see; the residual keeps its z."""

    size: int
    """Third octaves of a style; 0 for a model that takes none."""

    @abstractmethod
    def forward(self, z: Latent, style_db: Style | None) -> Latent:
        """The heads' z (batch, z).

        Raises:
            ValueError: a style for a model that takes none, or one of another length.
        """


class NoConditioning(Conditioning):
    """The heads see z alone: the null object."""

    size = 0

    def forward(self, z: Latent, style_db: Style | None) -> Latent:
        """Return z unchanged."""
        if style_db is not None:
            raise ValueError("this model takes no style: train one with conditioning=style")
        return z


class StyleConditioning(Conditioning):
    """(1 + γ)·z + β with γ and β linear in the style, without a constant part.

    No style, and a style of 0 dB, leave z as it is whatever was learned; so does every style at initialisation. The
    style is the curve itself and not the number of a word, so that any curve can be asked for, also one that no
    word stands for.

    Args:
        z_size: entries of the latent vector.
    """

    def __init__(self, z_size: int) -> None:
        super().__init__()
        self.size = len(third_octave_centres_hz())
        self.film = FiLM(self.size, z_size)
        self.film.linear.register_parameter("bias", None)

    def forward(self, z: Latent, style_db: Style | None) -> Latent:
        """Modulate."""
        if style_db is None:
            return z
        if style_db.shape[-1] != self.size:
            raise ValueError(f"expected a style of {self.size} third octaves, got {style_db.shape[-1]}")
        return self.film(z.unsqueeze(-1), style_db.to(z.dtype) / UNIT_DB).squeeze(-1)
