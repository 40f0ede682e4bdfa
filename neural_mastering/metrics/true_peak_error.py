"""Error of the true peak."""

from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.metrics.true_peak import true_peak_level
from neural_mastering.shapes import Audio, PerItem


def true_peak_error(prediction: Audio, target: Audio, sample_rate: float) -> PerItem:
    """|TP(prediction) − TP(target)| in dB, (batch,); silence reads −120 dBTP."""
    return (true_peak_level(prediction, sample_rate) - true_peak_level(target, sample_rate)).abs()


class TruePeakError(ItemMetric):
    """See `true_peak_error`."""

    info = MetricInfo(
        "true_peak_error",
        "True peak error",
        "dB",
        False,
        True,
        True,
        "Difference of the largest true peaks; one sample decides it.",
    )

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`true_peak_error`."""
        return true_peak_error(prediction, target, self.sample_rate)
