"""A small Wave-U-Net with FiLM from z in every block and anti-aliased changes of rate."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neural_mastering.models.blocks.film import FiLM
from neural_mastering.models.blocks.resample import Downsample, Upsample
from neural_mastering.models.residual_heads.residual_head import ResidualHead
from neural_mastering.shapes import Audio, Latent

_SLOPE = 0.2


class WaveUNet(ResidualHead):
    """Encoder and decoder over len(channels) rates with additive skips; the last convolution starts at 0.

    Level l runs at 1/factor^l of the rate with channels[l] channels. On the way down: low-pass and decimate,
    convolve, FiLM, LeakyReLU. On the way up: mix channels, interpolate, add the skip, convolve, FiLM,
    LeakyReLU. Nothing is normalised over time and all padding is symmetric, so a stream in chunks gives the
    same result as one shot. Length is kept for any length. Mono audio goes in as two equal channels and comes
    out as the mean of the two outputs; stereo is never down-mixed.

    Args:
        z_size: entries of the latent vector.
        channels: of each level, full rate first. The first ones set the cost, the last ones the size.
        kernel_size: of all convolutions, odd. channels=(16, 32, 64, 128, 256) with 15 has 2.3 M parameters.
        factor: ratio of the rates of neighbouring levels.
        condition_size: z is first mapped to this many numbers, which all FiLM layers share.

    Source: Stoller, Ewert, Dixon, "Wave-U-Net", ISMIR 2018, section 3, with FiLM (Perez et al. 2018), real
    low-pass filters, added instead of concatenated skips.
    """

    def __init__(
        self,
        z_size: int = 512,
        channels: Sequence[int] = (8, 16, 32, 64, 128),
        kernel_size: int = 9,
        factor: int = 4,
        condition_size: int = 64,
    ) -> None:
        super().__init__()
        if len(channels) < 2:
            raise ValueError(f"a U-Net needs at least two levels, got channels={tuple(channels)}")
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd for symmetric padding, got {kernel_size}")
        self.z_size, self.factor, self.kernel_size = z_size, factor, kernel_size
        self.levels = len(channels)
        self.condition = nn.Sequential(nn.Linear(z_size, condition_size), nn.GELU())
        self.down, self.up = Downsample(factor), Upsample(factor)

        def block(inputs: int, outputs: int) -> _Block:
            return _Block(inputs, outputs, kernel_size, condition_size)

        self.encoder = nn.ModuleList(block(i, o) for i, o in zip((2, *channels[:-1]), channels, strict=True))
        self.bottleneck = block(channels[-1], channels[-1])
        self.mix = nn.ModuleList(nn.Conv1d(deep, shallow, 1) for shallow, deep in pairwise(channels))
        self.decoder = nn.ModuleList(block(c, c) for c in channels[:-1])
        self.out = nn.Conv1d(channels[0], 2, kernel_size, padding=kernel_size // 2, bias=False)
        nn.init.zeros_(self.out.weight)
        self.stride_samples = factor ** (self.levels - 1)
        self.receptive_field_samples = self._receptive_field()

    def forward(self, audio: Audio, z: Latent) -> Audio:
        """The residual of audio (batch, channel, time) given z (batch, z).

        Raises:
            ValueError: neither one nor two channels, or no samples.
        """
        if audio.ndim != 3 or audio.shape[1] not in (1, 2) or audio.shape[-1] == 0:
            raise ValueError(
                "expected audio (batch, channel, time) with 1 channel (mono) or 2 (left, right) and at least "
                f"one sample; got shape {tuple(audio.shape)}"
            )
        time = audio.shape[-1]
        x = torch.nn.functional.pad(audio, (0, -time % self.stride_samples)).expand(-1, 2, -1)
        condition = self.condition(z)
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(self.down(x) if level else x, condition)
            skips.append(x)
        x = self.bottleneck(skips.pop(), condition)
        for mix, block in zip(reversed(self.mix), reversed(self.decoder), strict=True):
            x = block(self.up(mix(x)) + skips.pop(), condition)
        residual = self.out(x)[..., :time]
        if audio.shape[1] == 1:
            residual = residual.mean(dim=1, keepdim=True)
        return residual.to(audio.dtype)

    def _receptive_field(self) -> int:
        """The farthest an output sample sees to either side, over all places within one stride."""
        reach = 0
        for place in range(self.stride_samples):
            low, high = self._seen_by_decoder(0, *self._seen_by_convolution(place, place))
            reach = max(reach, place - low, high - place)
        return reach

    def _seen_by_convolution(self, low: int, high: int) -> tuple[int, int]:
        return low - self.kernel_size // 2, high + self.kernel_size // 2

    def _seen_by_decoder(self, level: int, low: int, high: int) -> tuple[int, int]:
        """Audio samples behind the samples low … high of the decoder's output at a level."""
        low, high = self._seen_by_convolution(low, high)
        skip = self._seen_by_encoder(level, low, high)
        if level == self.levels - 1:
            return skip
        reach, factor = self.up.reach, self.factor
        deep = self._seen_by_decoder(level + 1, -((reach - low) // factor), (high + reach) // factor)
        return min(skip[0], deep[0]), max(skip[1], deep[1])

    def _seen_by_encoder(self, level: int, low: int, high: int) -> tuple[int, int]:
        """Audio samples behind the samples low … high of the encoder's output at a level."""
        for _ in range(level):
            low, high = self._seen_by_convolution(low, high)
            low, high = low * self.factor - self.down.reach, high * self.factor + self.down.reach
        return self._seen_by_convolution(low, high)


class _Block(nn.Module):
    """Convolution, FiLM, LeakyReLU."""

    def __init__(self, inputs: int, outputs: int, kernel_size: int, condition_size: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(inputs, outputs, kernel_size, padding=kernel_size // 2)
        self.film = FiLM(condition_size, outputs)

    def forward(
        self, x: Float[Tensor, "batch _ time"], condition: Float[Tensor, "batch condition"]
    ) -> Float[Tensor, "batch _ time"]:
        return torch.nn.functional.leaky_relu_(self.film(self.convolution(x), condition), _SLOPE)
