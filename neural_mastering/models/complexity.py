"""What a part costs: parameters, floating-point operations, receptive field.

`python -m neural_mastering.models.complexity` prints a table of the default parts. A multiplication and an
addition count as two operations. Counted are convolutions and matrix products as executed (the fixed
resampling filters with the zeros of their banded matrices) and FFTs at 2.5·N·log2 N for a real transform of
length N, the customary estimate; element-wise work is not counted.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from neural_mastering.models.encoders import TCN, Encoder, LogMel
from neural_mastering.models.residual_heads import ResidualHead, WaveUNet


@dataclass(frozen=True)
class Complexity:
    """One row of the table.

    Attributes:
        name: of the part.
        parameters: trainable numbers.
        flops: floating-point operations of one forward pass over `seconds` of audio.
        seconds: length of that audio.
        receptive_field_s: from the first to the last sample that a frame (encoder) or an output sample
            (residual head) sees.
    """

    name: str
    parameters: int
    flops: int
    seconds: float
    receptive_field_s: float


def parameter_count(module: nn.Module) -> int:
    """Trainable numbers of a module."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def flop_count(call: Callable[[], Any]) -> int:
    """Floating-point operations of a call (without gradients), counted as this module's docstring says."""
    counter = FlopCounterMode(
        display=False,
        custom_mapping={torch.ops.aten._fft_r2c: _rfft_flops, torch.ops.aten._fft_c2r: _irfft_flops},
    )
    with torch.no_grad(), counter:
        call()
    return counter.get_total_flops()


def encoder_complexity(name: str, encoder: Encoder, seconds: float = 5.0, channels: int = 2) -> Complexity:
    """Cost of encoding one clip."""
    audio = torch.zeros(1, channels, round(seconds * encoder.sample_rate))
    flops = flop_count(lambda: encoder(audio))
    return Complexity(name, parameter_count(encoder), flops, seconds, encoder.receptive_field_s)


def residual_head_complexity(
    name: str,
    head: ResidualHead,
    z_size: int = 512,
    sample_rate: float = 44_100.0,
    seconds: float = 5.0,
    channels: int = 2,
) -> Complexity:
    """Cost of one clip's residual; the receptive field counts both sides and the sample itself."""
    audio, z = torch.zeros(1, channels, round(seconds * sample_rate)), torch.zeros(1, z_size)
    flops = flop_count(lambda: head(audio, z))
    receptive_field_s = (2 * head.receptive_field_samples + 1) / sample_rate
    return Complexity(name, parameter_count(head), flops, seconds, receptive_field_s)


def default_rows() -> list[Complexity]:
    """The parts that ship, at their default size, and the Wave-U-Net at the size of the first prototype."""
    return [
        encoder_complexity("encoder `tcn`", TCN()),
        encoder_complexity("encoder `log_mel`", LogMel()),
        residual_head_complexity("residual `wave_unet`", WaveUNet()),
        residual_head_complexity(
            "residual `wave_unet`, large", WaveUNet(channels=(16, 32, 64, 128, 256), kernel_size=15)
        ),
    ]


def markdown_table(rows: Sequence[Complexity]) -> str:
    """The rows as a markdown table."""
    lines = [
        "| part | parameters | GFLOP | of audio | receptive field |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.name} | {row.parameters:,} | {row.flops / 1e9:.2f} | {row.seconds:g} s "
        f"| {row.receptive_field_s:.2f} s |"
        for row in rows
    ]
    return "\n".join(lines)


def _rfft_flops(shape: Sequence[int], dim: Sequence[int], *_: Any, **__: Any) -> int:
    size = math.prod(shape[d] for d in dim)
    return round(2.5 * math.prod(shape) * math.log2(size)) if size > 1 else 0


def _irfft_flops(shape: Sequence[int], dim: Sequence[int], _: Any, last_size: int, **__: Any) -> int:
    shape = [*shape]
    shape[dim[-1]] = last_size
    return _rfft_flops(shape, dim)


if __name__ == "__main__":
    print(markdown_table(default_rows()))
