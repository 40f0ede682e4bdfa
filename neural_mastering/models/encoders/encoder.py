"""The base of all encoders."""

from abc import ABC, abstractmethod

from torch import nn

from neural_mastering.shapes import Audio, Latent


class Encoder(nn.Module, ABC):
    """Loudness-normalised audio (batch, channel, time), mono or stereo, any length → z (batch, z_size).

    Attributes:
        z_size: entries of the latent vector.
        sample_rate: the rate in Hz that the audio must have.
        receptive_field_s: seconds of audio that one frame sees before pooling.
    """

    z_size: int
    sample_rate: float
    receptive_field_s: float

    @abstractmethod
    def forward(self, audio: Audio) -> Latent:
        """Encode; row i depends on item i alone."""
