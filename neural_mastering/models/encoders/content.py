"""An encoder without weights: content features that an equaliser leaves, and the spectrum that it changes."""

import numpy as np
import torch
from torch import Tensor

from neural_mastering.audio_io.block import blocks_of
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.content import ContentMeter
from neural_mastering.metering.profile import Spectrum
from neural_mastering.models.encoders.encoder import Encoder
from neural_mastering.normality import load_normal_tone
from neural_mastering.shapes import Audio, Latent
from neural_mastering.units import db_to_power

ANALYSIS_LUFS = -23.0


class ContentEncoder(Encoder):
    """z = (content features in standard deviations, power of each third octave, heard).

    Powers are linear and relative to what normal songs have at −23 LUFS. So the mean of z over windows, weighted
    by their power, holds the spectrum of the song, as one window over all of it would. `heard` is 0 for a window
    shorter than 4.5 s, a silent one or a sample rate below 24 kHz: its features are 0, those of the mean song.

    It measures with `ContentMeter` and `Spectrum`, without gradient: no training moves it.

    Args:
        z_size: must be `content_size()`; heads are told it in the configuration.
        sample_rate: in Hz; of the audio to come.
        tone: file of the normal tone whose standard deviations are used; by default the bundled one.

    Raises:
        ValueError: another z_size.
    """

    centre: Tensor
    scale: Tensor
    reference_power: Tensor

    def __init__(
        self, z_size: int | None = None, sample_rate: float = 44_100.0, tone: str | None = None
    ) -> None:
        super().__init__()
        normal = load_normal_tone(tone)
        self.names = normal.names
        self.bands = len(CENTRES_HZ)
        size = len(self.names) + self.bands + 1
        if z_size not in (None, size):
            raise ValueError(f"z_size must be {size} for the content encoder (z_size={size}), got {z_size}")
        self.z_size, self.sample_rate = size, sample_rate
        self.receptive_field_s = 8.0  # the segments of the modulation spectra
        regression = normal.regression
        self.register_buffer("centre", torch.from_numpy(regression.centre).float(), persistent=False)
        self.register_buffer("scale", torch.from_numpy(regression.scale).float(), persistent=False)
        power = db_to_power(normal.general.mean + ANALYSIS_LUFS - 10.0)
        self.register_buffer("reference_power", torch.from_numpy(power).float(), persistent=False)

    @torch.no_grad()
    def forward(self, audio: Audio) -> Latent:
        """Measure loudness-normalised audio, item by item."""
        rows = [self._measure(item) for item in audio.detach().double().cpu().numpy()]
        return torch.stack(rows).to(
            audio.device, torch.float32 if audio.dtype != torch.float64 else audio.dtype
        )

    def _measure(self, item: np.ndarray) -> Tensor:
        content = ContentMeter(self.sample_rate, len(item))
        spectrum = Spectrum(self.sample_rate, len(item))
        for block in blocks_of(item):
            content.push(block)
            spectrum.push(block)
        found = content.finish()
        features = torch.zeros(len(self.names))
        if found is not None:
            values = torch.from_numpy(found.values).float()
            features = ((values - self.centre.cpu()) / self.scale.cpu()).clamp(-3.5, 3.5)
        powers = torch.from_numpy(spectrum.finish()).float() / self.reference_power.cpu()
        return torch.cat([features, powers, torch.tensor([float(found is not None)])])


def content_size(tone: str | None = None) -> int:
    """Entries of the content encoder's z."""
    return len(load_normal_tone(tone).names) + len(CENTRES_HZ) + 1
