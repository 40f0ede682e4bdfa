"""What a delivery aims at, and what came of it."""

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.limiter import DRIVEN, LimiterSettings
from neural_mastering.metering.meter import Readings

Limit = Literal["reduction", "density", "peaks", "encoder"]
"""What stops a song short of its target."""

CLEAN_DB = 2.0
"""Where no more than this is taken off the peaks, the limiter works alone, at its own settings."""

MOST_REDUCTION_DB = 24.0
"""The most that can be asked of the limiter."""


@dataclass(frozen=True)
class DeliverySpec:
    """What the loop aims at.

    Attributes:
        lufs: integrated loudness; None leaves the level as it is, but for the ceiling.
        ceiling_db: dBTP; None lets peaks go where they will.
        max_reduction_db: the most that the limiter may take off a peak; 0 caps the gain instead of limiting.
        settings: of the limiter where it takes off no more than `CLEAN_DB`.
        driven: of the limiter where it takes off more.
        clip_db: the most that the clipper in front of it may take off short peaks; 0 leaves it out.
        max_loss_lu: the most by which both together may lower the loudness.
        kept_db: ceiling that must hold after encoders, where `ceiling_db` is lower for the sake of a reference;
            None where both are the same.
        densest: the loudest settings of the limiter, and the depth of the clipper, that the full density would try;
            None where the limiter is given.
    """

    lufs: float | None
    ceiling_db: float | None
    max_reduction_db: float = 6.0
    settings: LimiterSettings = field(default_factory=LimiterSettings)
    driven: LimiterSettings = DRIVEN
    clip_db: float = 0.0
    max_loss_lu: float = math.inf
    kept_db: float | None = None
    densest: tuple[LimiterSettings, float] | None = None

    @property
    def promised_db(self) -> float | None:
        """The ceiling that must hold after encoders, dBTP."""
        return self.ceiling_db if self.kept_db is None else self.kept_db

    @property
    def limits(self) -> bool:
        """Whether there is a ceiling that a limiter keeps."""
        return self.ceiling_db is not None and self.max_reduction_db > 0.0

    def over_db(self, peak_db: float) -> float:
        """What a peak has to lose; 0 with the ceiling off."""
        return 0.0 if self.ceiling_db is None else max(peak_db - self.ceiling_db, 0.0)

    def limiter_settings(self, peak_db: float) -> LimiterSettings:
        """Of the limiter where the highest peak is `peak_db`."""
        return self.settings if self.over_db(peak_db) <= CLEAN_DB else self.driven

    def clip_depth_db(self, peak_db: float) -> float:
        """Depth of the clipper where the highest peak is `peak_db`: what exceeds `CLEAN_DB` of reduction."""
        return min(self.clip_db, max(self.over_db(peak_db) - CLEAN_DB, 0.0)) if self.limits else 0.0


@dataclass(frozen=True)
class DeliveryResult:
    """What came of it.

    Attributes:
        readings: of the written samples.
        gain_db: broadband gain before the limiter.
        reduction_db: of the limiter, largest of every 100 ms, as positive numbers; empty without a limiter.
        limited_by: why the target was not reached: "reduction" (the limiter may take no more off the peaks),
            "density" (it may take no more off the loudness), "peaks" (they are at the ceiling), "encoder" (they
            would pass it after an encoder); None where it was.
        passes: how often the song went through the limiter.
        clipped_samples: that did not fit into the integers of the file (with the ceiling off).
        peak_control_db: the most that the clipper of short peaks took off one; 0 without it.
        needed_reduction_db: about what the target takes off the highest peak; 0 without a limiter.
        loss_lu: by how much clipper and limiter lowered the loudness.
        needed_loss_lu: about what the target takes off the loudness.
        is_reachable: False where it takes more than can be asked for; the needed numbers are then lower bounds.
        needed_density: that allows the target, where it was not reached.
    """

    readings: Readings
    gain_db: float
    reduction_db: NDArray[np.float64]
    limited_by: Limit | None
    passes: int
    clipped_samples: int
    peak_control_db: float = 0.0
    needed_reduction_db: float = 0.0
    loss_lu: float = 0.0
    needed_loss_lu: float = 0.0
    is_reachable: bool = True
    needed_density: float = 0.0

    @property
    def max_reduction_db(self) -> float:
        """The most that the limiter took off; 0 without one."""
        return float(self.reduction_db.max()) if self.reduction_db.size else 0.0
