"""Error of the stereo width."""

from neural_mastering.dsp.stereo import stereo_width_db
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.shapes import Audio, PerItem


def stereo_width_error(prediction: Audio, target: Audio) -> PerItem:
    """Difference of the energy of side over mid, in dB, (batch,); each side limited to ±60 dB.

    Raises:
        ValueError: not two channels.

    Examples:
        >>> import torch
        >>> left = torch.randn(1, 4_800, generator=torch.Generator().manual_seed(0))
        >>> half, silent = torch.stack((left, 0.5 * left), dim=1), torch.stack((left, 0.0 * left), dim=1)
        >>> stereo_width_error(half, silent)  # a lone channel has as much side as mid
        tensor([9.54], dtype=torch.float64)
    """
    return (stereo_width_db(prediction) - stereo_width_db(target)).abs()


class StereoWidthError(ItemMetric):
    """See `stereo_width_error`."""

    info = MetricInfo(
        "width_error",
        "Stereo width error",
        "dB",
        False,
        False,
        False,
        "Difference of side over mid energy, all frequencies together.",
    )

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`stereo_width_error`."""
        return stereo_width_error(prediction, target)
