"""True peak of the result: whether it leaves room for a converter and a codec."""

from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.shapes import Audio, PerItem

SILENT_DBTP = -120.0


def true_peak_level(prediction: Audio, sample_rate: float) -> PerItem:
    """Largest true peak of the channels in dBTP, (batch,), −120 at the least (ITU-R BS.1770, annex 2).

    Examples:
        >>> import torch
        >>> true_peak_level(torch.zeros(1, 2, 4_800), 48_000)
        tensor([-120.])
    """
    return true_peak_db(prediction, sample_rate).clamp(min=SILENT_DBTP)


class TruePeak(ItemMetric):
    """See `true_peak_level`; the target plays no part."""

    info = MetricInfo(
        "true_peak",
        "True peak",
        "dBTP",
        None,
        True,
        False,
        "Largest true peak of the result itself; above −1 dBTP a lossy codec may clip.",
        1,
    )

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`true_peak_level` of the prediction."""
        return true_peak_level(prediction, self.sample_rate)
