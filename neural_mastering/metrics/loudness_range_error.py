"""Error of the loudness range."""

from neural_mastering.dsp.loudness import loudness_range
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.shapes import Audio, PerItem


def loudness_range_error(prediction: Audio, target: Audio, sample_rate: float) -> PerItem:
    """|LRA(prediction) − LRA(target)| in LU, (batch,), by EBU Tech 3342."""
    return (loudness_range(prediction, sample_rate) - loudness_range(target, sample_rate)).abs()


class LoudnessRangeError(ItemMetric):
    """See `loudness_range_error`."""

    info = MetricInfo(
        "lra_error",
        "Loudness range error",
        "LU",
        False,
        False,
        True,
        "Difference of the loudness range (EBU Tech 3342), of whole songs; of little meaning below a minute.",
    )

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`loudness_range_error`."""
        return loudness_range_error(prediction, target, self.sample_rate)
