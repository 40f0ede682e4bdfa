"""A long signal through a residual head in chunks, with the result of one shot."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from neural_mastering.models.residual_heads.residual_head import ResidualHead
from neural_mastering.shapes import Audio, Latent


@dataclass(frozen=True)
class Span:
    """A chunk [start, stop) of a signal, and what it is computed from: [context_start, context_stop).

    The context ends where the signal ends and nowhere else short: there, and only there, the zeros that each
    layer puts beside its input are the same as in one shot.
    """

    start: int
    stop: int
    context_start: int
    context_stop: int


def spans(module: ResidualHead, length: int, chunk_samples: int) -> Iterator[Span]:
    """Chunks of a signal of `length` samples, each with the context that the module needs.

    The context begins at a multiple of `stride_samples`, since the module's low rates count from there.

    Raises:
        ValueError: `chunk_samples` isn't a positive multiple of the module's `stride_samples`.
    """
    stride = module.stride_samples
    if chunk_samples <= 0 or chunk_samples % stride:
        below = max(chunk_samples // stride, 1) * stride
        raise ValueError(
            f"chunk_samples must be a positive multiple of {stride} for this residual head; got "
            f"{chunk_samples}: use {below}, for instance"
        )
    before = math.ceil(module.receptive_field_samples / stride) * stride
    for start in range(0, length, chunk_samples):
        stop = min(start + chunk_samples, length)
        yield Span(start, stop, max(start - before, 0), min(stop + module.receptive_field_samples, length))


def render_chunked(module: ResidualHead, audio: Audio, z: Latent, chunk_samples: int) -> Audio:
    """The residual of a long signal, computed chunk by chunk: equal to `module(audio, z)` up to rounding.

    Memory follows `chunk_samples`, not the length. Gradients flow, but inference is what this is for.

    Args:
        module: the residual head.
        audio: (batch, channel, time).
        z: (batch, z), one for the whole signal.
        chunk_samples: a multiple of the module's `stride_samples`.
    """
    parts = []
    for span in spans(module, audio.shape[-1], chunk_samples):
        residual = module(audio[..., span.context_start : span.context_stop], z)
        offset = span.start - span.context_start
        parts.append(residual[..., offset : offset + span.stop - span.start])
    return torch.cat(parts, dim=-1)
