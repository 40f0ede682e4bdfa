"""RBJ biquads as coefficients, for tools that take these."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from neural_mastering.dsp.biquad import Kind
from neural_mastering.shapes import Bands
from neural_mastering.units import db_to_gain


def sections(
    frequency_hz: Bands, gain_db: Bands, q: Bands, sample_rate: float, kinds: Sequence[Kind] | None = None
) -> Float[Tensor, "batch band 6"]:
    """b0, b1, b2, 1, a1, a2 of each band, differentiable.

    In float32 the differences in these coefficients lose accuracy at low frequencies: what a tool makes of
    them is as exact as they are.

    Source: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".

    Raises:
        ValueError: an unknown kind, or not one for each band.
    """
    kinds = ("peak",) * frequency_hz.shape[-1] if kinds is None else kinds
    if len(kinds) != frequency_hz.shape[-1]:
        raise ValueError(f"{len(kinds)} kinds for {frequency_hz.shape[-1]} bands")
    w0 = frequency_hz * (2.0 * math.pi / sample_rate)
    cosine, alpha = torch.cos(w0), torch.sin(w0) / (2.0 * q)
    amplitude = db_to_gain(0.5 * gain_db)
    columns = [
        _section(kind, cosine[..., band], alpha[..., band], amplitude[..., band])
        for band, kind in enumerate(kinds)
    ]
    return torch.stack(columns, dim=-2)


def _section(kind: Kind, cosine: Tensor, alpha: Tensor, amplitude: Tensor) -> Tensor:
    if kind == "peak":
        b = (1.0 + alpha * amplitude, -2.0 * cosine, 1.0 - alpha * amplitude)
        a = (1.0 + alpha / amplitude, -2.0 * cosine, 1.0 - alpha / amplitude)
    elif kind in ("low_shelf", "high_shelf"):
        # The high shelf is the low shelf of −z: the signs of the cosine and of the odd coefficients change.
        sign = 1.0 if kind == "low_shelf" else -1.0
        c, root = sign * cosine, 2.0 * torch.sqrt(amplitude) * alpha
        up, down = amplitude + 1.0, amplitude - 1.0
        b = (
            amplitude * (up - down * c + root),
            sign * 2.0 * amplitude * (down - up * c),
            amplitude * (up - down * c - root),
        )
        a = (up + down * c + root, sign * -2.0 * (down + up * c), up + down * c - root)
    else:
        raise ValueError(f"unknown kind {kind!r}: expected low_shelf, peak or high_shelf")
    return torch.stack([*b, *a], dim=-1) / a[0].unsqueeze(-1)
