"""Error of the peak-to-loudness ratio."""

import math

import torch

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.shapes import Audio, PerItem


def peak_to_loudness_ratio(audio: Audio, sample_rate: float) -> PerItem:
    """PLR = true peak (dBTP) − integrated loudness (LUFS), in dB, (batch,); NaN where nothing passes the gate."""
    return ratio(true_peak_db(audio, sample_rate), integrated_loudness(audio, sample_rate))


def ratio(peak_db: PerItem, lufs: PerItem) -> PerItem:
    """Difference of two levels, NaN where either is not finite."""
    return torch.where(peak_db.isfinite() & lufs.isfinite(), peak_db - lufs, math.nan)


def peak_to_loudness_error(prediction: Audio, target: Audio, sample_rate: float) -> PerItem:
    """|PLR(prediction) − PLR(target)| in dB, (batch,); NaN where either side is silent."""
    return (
        peak_to_loudness_ratio(prediction, sample_rate) - peak_to_loudness_ratio(target, sample_rate)
    ).abs()


class PeakToLoudnessError(ItemMetric):
    """See `peak_to_loudness_error`."""

    info = MetricInfo(
        "plr_error",
        "Peak-to-loudness error",
        "dB",
        False,
        False,
        True,
        "Difference of true peak less integrated loudness: how much the peaks were held down; blind to how.",
    )

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`peak_to_loudness_error`."""
        return peak_to_loudness_error(prediction, target, self.sample_rate)
