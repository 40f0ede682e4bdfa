"""Feed-forward compressor: detector, static curve with a soft knee, ballistics on the gain reduction in dB.

With o the level over the threshold, W the knee and s = 1 − 1/ratio:

    reduction  r = 0 (o ≤ −W/2),   s·(o + W/2)²/(2W) (inside the knee),   s·o (o ≥ W/2)
    smoothed   g[n] = g[n−1] + c·(r[n] − g[n−1])          as `envelope.smooth`
    gain       10^((makeup − g)/20)

Source: D. Giannoulis, M. Massberg, J. D. Reiss, "Digital dynamic range compressor design", J. Audio Eng.
Soc. 60(6), 2012, equations 4 and 16.
"""

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from neural_mastering.dsp.envelope import coefficient
from neural_mastering.dsp.threads import by_item
from neural_mastering.shapes import Audio, Frames, PerItem
from neural_mastering.units import db_to_gain, power_to_db

Link = Literal["max", "mean_square"]

FLOOR_POWER = 1e-12
"""Power at which the detector's level ends, −120 dBFS."""

_SMALLEST_KNEE_DB = 1e-4


def linked_power(audio: Audio, link: Link) -> Frames:
    """Power (batch, time) that the detector sees: the loudest channel's or the channels' mean, never their sum.

    Raises:
        ValueError: an unknown link.

    Examples:
        >>> import torch
        >>> left_only = torch.tensor([[[0.5], [0.0]]])
        >>> linked_power(left_only, "max"), linked_power(left_only, "mean_square")
        (tensor([[0.2500]]), tensor([[0.1250]]))
    """
    power = audio.square()
    if link == "max":
        return power.amax(dim=1)
    if link == "mean_square":
        return power.mean(dim=1)
    raise ValueError(f"unknown stereo link {link!r}: expected max or mean_square")


def static_reduction_db(over_db: Tensor, ratio: Tensor, knee_db: Tensor) -> Tensor:
    """Reduction in dB (0 or above) of a steady level `over_db` above the threshold; the shapes broadcast.

    A knee of 0 dB is a corner; a ratio of 1 reduces nothing.

    Examples:
        At 4:1, 10 dB over the threshold are reduced by 7.5 dB; a knee of 6 dB starts 3 dB below the threshold:

        >>> import torch
        >>> static_reduction_db(torch.tensor([-10.0, 0.0, 10.0]), torch.tensor(4.0), torch.tensor(6.0))
        tensor([0.0000, 0.5625, 7.5000])
    """
    half = 0.5 * knee_db
    rounded = (over_db + half).square() / (2.0 * knee_db.clamp(min=_SMALLEST_KNEE_DB))
    inside = torch.where(over_db > -half, rounded, 0.0)
    return (1.0 - 1.0 / ratio) * torch.where(over_db >= half, over_db, inside)


def gain_reduction_db(
    power: Frames,
    threshold_db: PerItem,
    ratio: PerItem,
    attack_ms: PerItem,
    release_ms: PerItem,
    knee_db: PerItem,
    sample_rate: float,
    start_db: PerItem | None = None,
) -> Frames:
    """Smoothed gain reduction in dB, (batch, time), 0 or above, float64, from the detector's power.

    Args:
        power: (batch, time), `linked_power` of the side chain.
        threshold_db: (batch,) in dBFS of the detector.
        ratio: (batch,), 1 or more.
        attack_ms, release_ms: (batch,) time constants in ms.
        knee_db: (batch,), 0 or more.
        sample_rate: in Hz.
        start_db: (batch,) reduction before the first sample, 0 by default.

    Examples:
        A tone starts 10 dB over the threshold at 4:1. After the attack time 63 % of 7.5 dB are reached:

        >>> import torch
        >>> threshold_db, ratio, knee_db = torch.tensor([[-10.0], [4.0], [0.0]])
        >>> attack_ms, release_ms = torch.tensor([[10.0], [100.0]])
        >>> power = torch.ones(1, 44_100)
        >>> reduction = gain_reduction_db(power, threshold_db, ratio, attack_ms, release_ms, knee_db, 44_100)
        >>> reduction[0, [440, -1]]
        tensor([4.74, 7.50], dtype=torch.float64)
    """
    level_db = power_to_db(power.clamp(min=FLOOR_POWER))
    start_db = level_db.new_zeros(level_db.shape[0]) if start_db is None else start_db
    rise, fall = coefficient(attack_ms, sample_rate), coefficient(release_ms, sample_rate)
    slope = 1.0 - 1.0 / ratio.double()
    controls = (threshold_db, slope, knee_db, rise, fall, start_db)
    inputs = (level_db, *(control.double() for control in controls))
    return _Reduction.apply(*(t.cpu() for t in inputs)).to(level_db.device)


class _Reduction(torch.autograd.Function):
    """Gain computer and ballistics in one compiled pass: element by element they cost several times as much."""

    @staticmethod
    def forward(ctx: Any, level_db: Tensor, *controls: Tensor) -> Tensor:
        from neural_mastering.dsp import compressor_kernels  # loads numba

        inputs = [t.detach().contiguous() for t in (level_db, *controls)]
        out = torch.empty(level_db.shape, dtype=torch.float64)
        arrays = [t.numpy() for t in (*inputs, out)]
        by_item(lambda part: compressor_kernels.reduce(*(a[part] for a in arrays)), *out.shape)
        ctx.save_for_backward(*inputs, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor, ...]:
        from neural_mastering.dsp import compressor_kernels  # loads numba

        saved = ctx.saved_tensors
        by_level, by_controls = torch.empty_like(saved[0]), torch.empty(6, len(saved[0]), dtype=torch.float64)
        # the last array has the items on its second axis
        arrays = [t.numpy() for t in (*saved, grad_outputs[0].contiguous(), by_level)]
        controls = by_controls.numpy()

        def derive(part: slice) -> None:
            given = [*(a[part] for a in arrays), controls[:, part]]
            compressor_kernels.derivative(*given)

        by_item(derive, *by_level.shape)
        return (by_level, *by_controls.unbind())


def deviation(reduction_db: Frames, makeup_db: PerItem, like: Tensor) -> Frames:
    """Gain less 1, (batch, time), of a reduction and a make-up gain, in the dtype of `like`."""
    return db_to_gain((makeup_db[:, None] - reduction_db).to(like.dtype)) - 1.0
