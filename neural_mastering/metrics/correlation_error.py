"""Error of the correlation of left and right."""

from neural_mastering.dsp.stereo import stereo_correlation
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.shapes import Audio, PerItem


def correlation_error(prediction: Audio, target: Audio) -> PerItem:
    """Difference of the correlations of left and right, (batch,), 0 to 2.

    Raises:
        ValueError: not two channels.
    """
    return (stereo_correlation(prediction) - stereo_correlation(target)).abs()


class CorrelationError(ItemMetric):
    """See `correlation_error`."""

    info = MetricInfo(
        "correlation_error",
        "Correlation error",
        "",
        False,
        False,
        False,
        "Difference of the correlation of left and right over the whole song.",
        3,
    )

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`correlation_error`."""
        return correlation_error(prediction, target)
