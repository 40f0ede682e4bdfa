"""A control's range and its map: the only place where network numbers become physical units."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

Scale = Literal["linear", "log"]

END_LOGIT = 5.0
"""Logit beyond which a control that reaches its ends stands at one of them."""


@dataclass(frozen=True)
class Control:
    """One physical control of a processor, or one per band.

    to_physical: low + (high − low)·u (linear) or low·(high/low)^u (log), for u in [0, 1].

    Attributes:
        name: such as "frequency".
        unit: such as "hz"; empty for a number without one (a quality factor).
        low, high: ends of the range in that unit; tuples of equal length give each band its own.
        scale: "log" for frequencies, times, ratios and quality factors.
        neutral: the value at which the processor does nothing, where the control has one.
        reaches_ends: the map from network numbers is straight and arrives at the ends (an amount of exactly 0)
            instead of a sigmoid, which never does.
    """

    name: str
    unit: str
    low: float | tuple[float, ...]
    high: float | tuple[float, ...]
    scale: Scale = "linear"
    neutral: float | None = None
    reaches_ends: bool = False

    def __post_init__(self) -> None:
        lows, highs = self.ends()
        if len(lows) != len(highs):
            raise ValueError(f"control {self.key}: {len(lows)} low ends but {len(highs)} high ends")
        for low, high in zip(lows, highs, strict=True):
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise ValueError(
                    f"control {self.key}: expected low < high, both finite; got {low} and {high}"
                )
            if self.scale == "log" and low <= 0:
                raise ValueError(f"control {self.key}: a log range must be above 0, got low = {low}")

    def ends(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Low and high ends, one of each for a control without bands."""
        low = self.low if isinstance(self.low, tuple) else (self.low,)
        high = self.high if isinstance(self.high, tuple) else (self.high,)
        return low, high

    @property
    def key(self) -> str:
        """Name with its unit: "frequency_hz", "q"."""
        return f"{self.name}_{self.unit}" if self.unit else self.name

    @property
    def bands(self) -> int | None:
        """Number of bands, or None for a control that has one value an item."""
        return len(self.low) if isinstance(self.low, tuple) else None

    @property
    def size(self) -> int:
        """How many logits the control takes."""
        return self.bands or 1

    def to_physical(self, unit: Tensor) -> Tensor:
        """Map u ∈ [0, 1] of shape (…) or (…, band) to the control's unit."""
        low, span = self._low_and_span(unit)
        return torch.exp(low + span * unit) if self.scale == "log" else low + span * unit

    def to_unit(self, physical: Tensor) -> Tensor:
        """The inverse of `to_physical`."""
        low, span = self._low_and_span(physical)
        return ((torch.log(physical) if self.scale == "log" else physical) - low) / span

    def from_logit(self, logit: Tensor) -> Tensor:
        """Map an unbounded network number to u ∈ [0, 1]: a sigmoid, or clamp((logit + 5)/10, 0, 1).

        Beyond an end the gradient is stopped only where a descent step would lead further out, so there is always a
        way back.
        """
        if self.reaches_ends:
            return _Clamped.apply(logit) * (0.5 / END_LOGIT) + 0.5
        return torch.sigmoid(logit)

    def to_logit(self, unit: Tensor) -> Tensor:
        """The inverse of `from_logit`; the ends of a sigmoid are infinitely far."""
        return (unit - 0.5) * (2.0 * END_LOGIT) if self.reaches_ends else torch.logit(unit)

    def _low_and_span(self, like: Tensor) -> tuple[Tensor, Tensor]:
        low = torch.tensor(self.low, dtype=torch.float64)
        high = torch.tensor(self.high, dtype=torch.float64)
        if self.scale == "log":
            low, high = torch.log(low), torch.log(high)
        return low.to(like), (high - low).to(like)


class _Clamped(torch.autograd.Function):
    """clamp(logit, −5, 5) with a gradient that leads back."""

    @staticmethod
    def forward(ctx: Any, logit: Tensor) -> Tensor:
        ctx.save_for_backward(logit)
        return logit.clamp(-END_LOGIT, END_LOGIT)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        (logit,) = ctx.saved_tensors
        (gradient,) = grad_outputs
        outwards = ((logit >= END_LOGIT) & (gradient < 0)) | ((logit <= -END_LOGIT) & (gradient > 0))
        return torch.where(outwards, 0.0, gradient)
