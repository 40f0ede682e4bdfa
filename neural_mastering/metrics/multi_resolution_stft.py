"""Multi-resolution STFT distance as a metric."""

from neural_mastering.dsp.stft import multi_resolution_stft_distance
from neural_mastering.dsp.stft_resolution import View
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo, Pair
from neural_mastering.shapes import Audio, PerItem

VIEWS: dict[Pair, tuple[View, View]] = {"lr": ("left", "right"), "ms": ("mid", "side")}


def multi_resolution_stft(prediction: Audio, target: Audio, pair: Pair = "lr") -> PerItem:
    """Spectral convergence plus log-magnitude distance, (batch,), as the loss; see `dsp.stft`.

    Examples:
        >>> import torch
        >>> noise = 0.1 * torch.randn(1, 2, 44_100, generator=torch.Generator().manual_seed(0))
        >>> multi_resolution_stft(0.5 * noise, noise)  # ½ + ln 2
        tensor([1.193])
    """
    return multi_resolution_stft_distance(prediction, target, views=VIEWS[pair])


class MultiResolutionStft(ItemMetric):
    """See `multi_resolution_stft`."""

    info = MetricInfo(
        "mr_stft",
        "MR-STFT",
        "",
        False,
        True,
        True,
        "Multi-resolution STFT distance, the main term of the training loss; level, tone and time in one number.",
        3,
    )

    def _of_pair(self, prediction: Audio, target: Audio) -> PerItem:
        return multi_resolution_stft(prediction, target, self.pair)

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`multi_resolution_stft`."""
        return multi_resolution_stft(prediction, target, self.pair)
