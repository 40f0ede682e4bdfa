"""Mid and side, stereo width and correlation.

With E the energy of a signal over time, M = (L + R)/2 and S = (L − R)/2:

    width = 10·log10(E_S / E_M)        correlation = Σ L·R / √(E_L·E_R)

Width is limited to ±60 dB, the ends being mono (−60) and a signal without a mid (+60).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from neural_mastering.shapes import Audio, PerItem, check_audio
from neural_mastering.units import db_to_power, power_to_db

WIDTH_LIMIT_DB = 60.0


def mid_side(audio: Audio) -> Float[Tensor, "batch 2 time"]:
    """M = (L + R)/2 and S = (L − R)/2 of stereo audio, as channels.

    Raises:
        ValueError: not two channels.
    """
    left, right = _channels(audio)
    return torch.stack((left + right, left - right), dim=1) * 0.5


def stereo_width_db(audio: Audio) -> PerItem:
    """Energy of the side over that of the mid in dB, (batch,); silence counts as mono.

    Raises:
        ValueError: not two channels.

    Examples:
        With R = L/2, M = ¾L and S = ¼L, so the side lies 20·log10(3) dB below the mid:

        >>> import torch
        >>> left = torch.randn(1, 4_800, generator=torch.Generator().manual_seed(0))
        >>> stereo_width_db(torch.stack((left, 0.5 * left), dim=1))
        tensor([-9.54], dtype=torch.float64)
    """
    mid, side = mid_side(audio).unbind(dim=1)
    return width_of_energies_db(_energy(mid, mid), _energy(side, side))


def width_of_energies_db(mid: PerItem, side: PerItem) -> PerItem:
    """Width in dB from the energies of mid and side."""
    share = db_to_power(-WIDTH_LIMIT_DB)
    silent = mid + side <= 0.0
    floor = share * (mid + side)
    ratio = torch.maximum(side, floor) / torch.maximum(mid, floor).clamp(min=torch.finfo(mid.dtype).tiny)
    level_db = power_to_db(torch.where(silent, 1.0, ratio))
    return torch.where(silent, -WIDTH_LIMIT_DB, level_db.clamp(-WIDTH_LIMIT_DB, WIDTH_LIMIT_DB))


def stereo_correlation(audio: Audio) -> PerItem:
    """Correlation of left and right, (batch,), −1 to 1; 0 where one side is silent, 1 where both are.

    Raises:
        ValueError: not two channels.

    Examples:
        >>> import torch
        >>> left = torch.randn(1, 4_800, generator=torch.Generator().manual_seed(0))
        >>> stereo_correlation(torch.stack((left, -left), dim=1))
        tensor([-1.000], dtype=torch.float64)
    """
    left, right = _channels(audio)
    return correlation_of_products(_energy(left, left), _energy(right, right), _energy(left, right))


def correlation_of_products(left: PerItem, right: PerItem, product: PerItem) -> PerItem:
    """Correlation from Σ L², Σ R² and Σ L·R."""
    silent = (left <= 0.0) & (right <= 0.0)
    norm = (left.clamp(min=0.0).sqrt() * right.clamp(min=0.0).sqrt()).clamp(min=torch.finfo(left.dtype).tiny)
    return torch.where(silent, 1.0, (product / norm).clamp(-1.0, 1.0))


def _channels(audio: Audio) -> tuple[Tensor, Tensor]:
    check_audio(audio)
    if audio.shape[1] != 2:
        raise ValueError(f"stereo readings need two channels (left, right); got {audio.shape[1]}")
    return audio[:, 0], audio[:, 1]


def _energy(a: Tensor, b: Tensor) -> PerItem:
    return (a.double() * b.double()).sum(dim=-1)
