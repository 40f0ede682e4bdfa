"""What the log-mel encoder measures before any logarithm."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class MelPowers(NamedTuple):
    """Linear quantities from which all features of `LogMel` follow; 1 is the power of a full-scale sine.

    A filter multiplies them, so degradations and corrections can be applied to them instead of to audio.

    Attributes:
        mid, side: (batch, band, frame) Σ|M|² and Σ|S|² of each mel band, with M = (L + R)/2, S = (L − R)/2.
        cross: (batch, band, frame) Σ Re(M·S*) of each mel band.
        peak: (batch, hop) largest sample of the louder channel in each hop.
        power: (batch, hop) mean square of left and right in each hop.
    """

    mid: Float[Tensor, "batch band frame"]
    side: Float[Tensor, "batch band frame"]
    cross: Float[Tensor, "batch band frame"]
    peak: Float[Tensor, "batch hop"]
    power: Float[Tensor, "batch hop"]


def band_powers(
    signal: Tensor, window: Tensor, filterbank: Tensor, hop: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Σ|M|², Σ|S|² and Σ Re(M·S*) of each mel band, (batch, band, frame).

    Args:
        signal: (batch, 2, time) mid and side, at least as long as the window.
        window: (sample,) of the STFT.
        filterbank: (band, bin) weights.
        hop: samples from frame to frame.
    """
    windows = signal.unfold(-1, window.shape[0], hop) * window
    mid, side = torch.fft.rfft(windows).unbind(dim=1)
    products = torch.stack(
        (
            mid.real.square() + mid.imag.square(),
            side.real.square() + side.imag.square(),
            mid.real * side.real + mid.imag * side.imag,
        )
    )
    bands = (products @ filterbank.T).transpose(-1, -2)
    return bands[0], bands[1], bands[2]


def hop_levels(signal: Tensor, hop: int) -> tuple[Tensor, Tensor]:
    """Largest sample and mean square over left and right in each complete hop of mid and side, (batch, hop)."""
    mid, side = signal.unbind(dim=1)
    whole = mid.shape[-1] // hop * hop
    # max(|L|, |R|) = |M| + |S|; (L² + R²)/2 = M² + S².
    peak = (mid.abs() + side.abs())[:, :whole].unflatten(-1, (-1, hop)).amax(dim=-1)
    power = (mid.square() + side.square())[:, :whole].unflatten(-1, (-1, hop)).mean(dim=-1)
    return peak, power
