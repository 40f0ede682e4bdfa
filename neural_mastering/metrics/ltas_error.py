"""Error of the long-term average spectrum in third octaves."""

from neural_mastering.dsp.ltas_error import HIGH_HZ, ltas_error
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.shapes import Audio, PerItem


class LtasError(ItemMetric):
    """See `ltas_error`.

    Examples:
        After matching the loudness a difference of level is no error any more:

        >>> import torch
        >>> noise = 0.1 * torch.randn(1, 2, 44_100, generator=torch.Generator().manual_seed(0))
        >>> metric = LtasError(sample_rate=44_100, match_loudness=True)
        >>> metric.update(0.5 * noise, noise)
        >>> bool(metric.compute() < 1e-4)
        True
    """

    info = MetricInfo(
        "ltas_error",
        "LTAS error",
        "dB",
        False,
        True,
        True,
        "RMS difference of third-octave levels of the whole song, 25 Hz to 15 kHz; blind to time and dynamics.",
    )

    def __init__(self, sample_rate: float, high_hz: float = HIGH_HZ, **kwargs) -> None:
        super().__init__(sample_rate, **kwargs)
        self.high_hz = high_hz

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`ltas_error`."""
        return ltas_error(prediction, target, self.sample_rate, high_hz=self.high_hz)
