"""What all metrics share: a declaration, and a torchmetrics.Metric that averages over items."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.stereo import mid_side
from neural_mastering.shapes import Audio, PerItem
from neural_mastering.units import db_to_gain

Pair = Literal["lr", "ms"]
"""Which two channels are measured: left and right (a mono file's one), or mid and side."""


@dataclass(frozen=True)
class MetricInfo:
    """What a metric is.

    Attributes:
        key: column of tables, such as "ltas_error".
        name: as shown.
        unit: of the value; empty for a ratio.
        higher_is_better: None where neither direction is.
        level_dependent: a common gain on the prediction changes it, so that matching the loudness does.
        per_pair: measured on left and right and again on mid and side; False for readings of the stereo image.
        description: one sentence, with what the number can't say.
        digits: decimals worth showing.
    """

    key: str
    name: str
    unit: str
    higher_is_better: bool | None
    level_dependent: bool
    per_pair: bool
    description: str
    digits: int = 2


class ItemMetric(Metric, ABC):
    """Mean over items of a number for each pair of prediction and target.

    States are a sum and a count, added up over processes, so that a division of the items over processes changes
    nothing. Items without a value (a ratio of silences) count in neither.

    Args:
        sample_rate: in Hz.
        pair: "lr" measures the channels as they are; "ms" mid and side, and takes their mean where the metric is
            one of single channels or programmes.
        match_loudness: bring each prediction to its target's integrated loudness first.
    """

    info: ClassVar[MetricInfo]
    full_state_update: bool | None = False
    is_differentiable: bool | None = False
    total: Tensor
    count: Tensor

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "info" in cls.__dict__:
            cls.higher_is_better = cls.info.higher_is_better

    def __init__(
        self, sample_rate: float, pair: Pair = "lr", match_loudness: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if pair not in ("lr", "ms"):
            raise ValueError(f"pair must be 'lr' or 'ms', got {pair!r}")
        if pair == "ms" and not self.info.per_pair:
            raise ValueError(f"{self.info.name} reads the stereo image as a whole: use pair='lr'")
        self.sample_rate, self.match_loudness = sample_rate, match_loudness
        self.pair: Pair = pair
        self.add_state("total", torch.zeros(()), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros(()), dist_reduce_fx="sum")

    def update(self, prediction: Audio, target: Audio) -> None:
        """Add items: both sides (batch, channel, time), full scale ±1.

        Raises:
            ValueError: shapes that differ.
        """
        if prediction.shape != target.shape or prediction.ndim != 3:
            raise ValueError(
                "prediction and target must share one shape (batch, channel, time); got "
                f"{tuple(prediction.shape)} and {tuple(target.shape)}"
            )
        with torch.no_grad():
            if self.match_loudness:
                prediction = prediction * match_gain(prediction, target, self.sample_rate)[:, None, None]
            values = self._of_pair(prediction, target)
        known = values.isfinite()
        self.total = self.total + torch.where(known, values, 0.0).sum().to(self.total)
        self.count = self.count + known.sum().to(self.count)

    def compute(self) -> Tensor:
        """The mean; NaN before any item."""
        return self.total / self.count

    def _of_pair(self, prediction: Audio, target: Audio) -> PerItem:
        if self.pair == "lr":
            return self.values(prediction, target)
        sides = (mid_side(prediction).flatten(0, 1)[:, None], mid_side(target).flatten(0, 1)[:, None])
        return self.values(*sides).view(-1, 2).nanmean(dim=-1)

    @abstractmethod
    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """The pure function with this metric's settings, (batch,)."""


def match_gain(prediction: Audio, target: Audio, sample_rate: float) -> PerItem:
    """Amplitude ratios (batch,) that bring each prediction to its target's integrated loudness; 1 on silence."""
    own, wanted = (integrated_loudness(side, sample_rate) for side in (prediction, target))
    return db_to_gain(torch.where(own.isfinite() & wanted.isfinite(), wanted - own, 0.0))
