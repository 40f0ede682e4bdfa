"""Error of integrated loudness."""

import math

import torch

from neural_mastering.dsp.loudness import ABSOLUTE_GATE_LUFS, BLOCK_MS, integrated_loudness
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.shapes import Audio, PerItem


def lufs_error(prediction: Audio, target: Audio, sample_rate: float) -> PerItem:
    """|LUFS(prediction) − LUFS(target)| in LU, (batch,), by ITU-R BS.1770; what is quieter reads −70 LUFS.

    NaN where the sides are shorter than a block of 400 ms, which have no loudness.

    Examples:
        >>> import torch
        >>> noise = 0.1 * torch.randn(1, 2, 44_100, generator=torch.Generator().manual_seed(0))
        >>> lufs_error(0.5 * noise, noise, 44_100)
        tensor([6.02])
    """
    sides = (integrated_loudness(side, sample_rate, ABSOLUTE_GATE_LUFS) for side in (prediction, target))
    error = loudness_difference(*sides)
    has_block = prediction.shape[-1] >= round(BLOCK_MS * sample_rate / 1000.0)
    return error if has_block else torch.full_like(error, math.nan)


def loudness_difference(prediction_lufs: PerItem, target_lufs: PerItem) -> PerItem:
    """|a − b| in LU."""
    return (prediction_lufs - target_lufs).abs()


class LufsError(ItemMetric):
    """See `lufs_error`.

    Examples:
        The mean over all items, whatever the batches:

        >>> import torch
        >>> noise = 0.1 * torch.randn(1, 2, 44_100, generator=torch.Generator().manual_seed(0))
        >>> metric = LufsError(sample_rate=44_100)
        >>> metric.update(0.5 * noise, noise)
        >>> metric.update(noise, noise)
        >>> metric.compute()
        tensor(3.01)
    """

    info = MetricInfo(
        "lufs_error",
        "Loudness error",
        "LU",
        False,
        True,
        True,
        "Difference of integrated loudness (BS.1770); says nothing about tone.",
    )

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`lufs_error`."""
        return lufs_error(prediction, target, self.sample_rate)
