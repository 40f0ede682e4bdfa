"""An encoder that learns its own filter bank: strided convolutions, dilated blocks, global pooling."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from neural_mastering.models.blocks.mid_side import mid_side
from neural_mastering.models.blocks.pooling import mean_and_std
from neural_mastering.models.blocks.tcn_block import DilatedStack, FrameFeatures
from neural_mastering.models.encoders.encoder import Encoder
from neural_mastering.shapes import Audio, Latent
from neural_mastering.units import db_to_gain, gain_to_db


class TCN(Encoder):
    """Waveform → strided convolutions → dilated residual blocks → mean and deviation over time → z.

    Mid and side go through strided convolutions without bias (each the homogeneous "LeakyReLU of a filter
    bank") down to sample_rate/∏strides frames a second, are compressed by asinh, and pass a `DilatedStack`.
    What is pooled is centred by a learned vector, which starts at the response to noise with the average
    spectrum of music: without it all songs begin with nearly the same z. z is layer-normalised, so that
    heads see unit scale. A clip that isn't a multiple of ∏strides long is padded with zeros at its end.

    Args:
        z_size: entries of the latent vector.
        sample_rate: in Hz; of the audio to come.
        channels: of each strided convolution.
        kernel_sizes: of each strided convolution, in samples of its input; at least the stride, with an even
            difference from it.
        strides: of each strided convolution.
        block_kernel_size, dilations: of the dilated blocks, in frames.
        compression: asinh(compression·x) is the step from linear to logarithmic level.

    Source: Bai, Kolter, Koltun 2018 (blocks); the first layer starts as a windowed-cosine filter bank, as in
    Ravanelli, Bengio, "Speaker recognition from raw waveform with SincNet", SLT 2018, section 2.
    """

    def __init__(
        self,
        z_size: int = 512,
        sample_rate: float = 44_100.0,
        channels: Sequence[int] = (64, 96, 128, 192),
        kernel_sizes: Sequence[int] = (128, 8, 16, 4),
        strides: Sequence[int] = (16, 4, 4, 2),
        block_kernel_size: int = 3,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 32, 64),
        compression: float = 30.0,
    ) -> None:
        super().__init__()
        if not len(channels) == len(kernel_sizes) == len(strides):
            raise ValueError(
                "channels, kernel_sizes and strides need one entry for each convolution; got "
                f"{len(channels)}, {len(kernel_sizes)} and {len(strides)}"
            )
        for kernel_size, stride in zip(kernel_sizes, strides, strict=True):
            if kernel_size < stride or (kernel_size - stride) % 2:
                raise ValueError(
                    f"kernel size {kernel_size} must exceed stride {stride} by an even number or 0"
                )
        self.z_size, self.sample_rate, self.compression = z_size, sample_rate, compression
        self.stride_samples = math.prod(strides)
        layers: list[nn.Module] = []
        inputs, span, step = 2, 1, 1
        for outputs, kernel_size, stride in zip(channels, kernel_sizes, strides, strict=True):
            padding = (kernel_size - stride) // 2
            layers += [
                nn.Conv1d(inputs, outputs, kernel_size, stride, padding, bias=False),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            inputs, span, step = outputs, span + (kernel_size - 1) * step, step * stride
        self.front = nn.Sequential(*layers)
        with torch.no_grad():
            first = self.front[0].weight
            assert isinstance(first, Tensor)
            first.copy_(_cosine_filters(channels[0], kernel_sizes[0]))
        self.blocks = DilatedStack(inputs, block_kernel_size, dilations)
        frames = self.blocks.receptive_field_frames
        self.receptive_field_samples = span + (frames - 1) * self.stride_samples
        self.receptive_field_s = self.receptive_field_samples / sample_rate
        self.head = nn.Sequential(nn.Linear(2 * inputs, z_size), nn.LayerNorm(z_size))
        with torch.no_grad():
            self.centre = nn.Parameter(mean_and_std(self.frames(_music_like_noise(sample_rate)))[0])

    def frames(self, audio: Audio) -> FrameFeatures:
        """Features before pooling, ⌈time/stride_samples⌉ frames; each sees `receptive_field_samples`."""
        signal = mid_side(audio)
        signal = torch.nn.functional.pad(signal, (0, -signal.shape[-1] % self.stride_samples))
        # The filterbank stays in float32: oneDNN's bfloat16 convolution of this shape is wrong on CPUs with AMX.
        with torch.autocast(audio.device.type, enabled=False):
            filtered = self.front[0](signal if signal.dtype == torch.float64 else signal.float())
        return self.blocks(torch.asinh(self.compression * self.front[1:](filtered)))

    def forward(self, audio: Audio) -> Latent:
        """Encode loudness-normalised audio."""
        return self.head(mean_and_std(self.frames(audio)) - self.centre)


def _cosine_filters(count: int, length: int) -> Tensor:
    """(count, 2, length): Hann-windowed cosines, log-spaced from one period a kernel, each fourth on side."""
    at = torch.arange(length, dtype=torch.float64) - (length - 1) / 2.0
    window = torch.hann_window(length + 2, periodic=False, dtype=torch.float64)[1:-1]
    lowest, highest = 1.0 / length, 0.45
    cycles = lowest * (highest / lowest) ** torch.linspace(0.0, 1.0, count, dtype=torch.float64)[:, None]
    phases = torch.arange(count, dtype=torch.float64)[:, None] * (math.pi * (3.0 - math.sqrt(5.0)))
    cosines = torch.cos(2.0 * math.pi * cycles * at + phases) * window
    cosines = cosines / cosines.norm(dim=1, keepdim=True)
    filters = torch.zeros(count, 2, length, dtype=torch.float64)
    is_side = torch.arange(count) % 4 == 3
    filters[:, 0] = cosines * (~is_side)[:, None]
    filters[:, 1] = cosines * is_side[:, None]
    return filters


def _music_like_noise(sample_rate: float, seconds: float = 2.0) -> Audio:
    """Noise (1, 2, time), −5 dB per octave above 50 Hz, −23 dB RMS, side 10 dB lower; always the same."""
    bins = round(seconds * sample_rate) // 2 + 1
    noise = torch.randn(2, bins, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    at_hz = torch.linspace(0.0, sample_rate / 2.0, bins, dtype=torch.float64).clamp(min=50.0)
    time = torch.fft.irfft(torch.view_as_complex(noise) * at_hz ** (-5.0 / gain_to_db(2.0)))
    mid, side = time / time.square().mean(dim=-1, keepdim=True).sqrt() * db_to_gain(-23.0)
    side = side * db_to_gain(-10.0)
    return torch.stack((mid + side, mid - side))[None].to(torch.get_default_dtype())
