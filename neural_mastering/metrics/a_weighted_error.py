"""Distance of A-weighted spectrograms as a metric."""

from neural_mastering.dsp.a_weighted import a_weighted_distance
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo, Pair
from neural_mastering.metrics.multi_resolution_stft import VIEWS
from neural_mastering.shapes import Audio, PerItem


def a_weighted_error(prediction: Audio, target: Audio, sample_rate: float, pair: Pair = "lr") -> PerItem:
    """Relative distance of A-weighted STFT magnitudes, (batch,), as the loss; see `dsp.a_weighted`."""
    return a_weighted_distance(prediction, target, sample_rate, views=VIEWS[pair])


class AWeightedError(ItemMetric):
    """See `a_weighted_error`."""

    info = MetricInfo(
        "a_weighted_error",
        "A-weighted error",
        "",
        False,
        True,
        True,
        "Sum of A-weighted differences of magnitude over the target's sum; 1 is what silence would cost.",
        3,
    )

    def _of_pair(self, prediction: Audio, target: Audio) -> PerItem:
        return a_weighted_error(prediction, target, self.sample_rate, self.pair)

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`a_weighted_error`."""
        return a_weighted_error(prediction, target, self.sample_rate, self.pair)
