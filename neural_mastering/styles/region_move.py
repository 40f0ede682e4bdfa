"""Where each region of a song lies among finished songs, and how far it is moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.styles.regions import REGIONS
from neural_mastering.styles.standing import Standing

LEAST_SD_DB = 0.1
NOTABLE_DB = 0.5
"""A move of this much is worth a sentence, and so is a song outside the middle half of all songs."""


@dataclass(frozen=True)
class RegionMove:
    """One region.

    Attributes:
        standing: of the song among what is expected.
        low_hz, high_hz: edges of the region.
        move_db: mean of the curve in it.
        among: what the song is compared with.
    """

    standing: Standing
    low_hz: float
    high_hz: float
    move_db: float
    among: str = "songs like this"

    @property
    def name(self) -> str:
        """Such as "low mids"."""
        return self.standing.name

    @property
    def words(self) -> str:
        """Such as "sub 30–60 Hz: 6.0 dB above songs like this, 1 in 20 is; moved by −1.9 dB"."""
        return f"{self.standing.words(self.among)}; moved by {self.move_db:+.1f} dB".replace("-", "−")

    @property
    def is_notable(self) -> bool:
        """It is moved, by an amount that can be heard."""
        return abs(self.move_db) >= NOTABLE_DB


def region_moves(
    song_db: Float64s, normal: Gaussian, curve_db: Float64s, among: str = "songs like this"
) -> list[RegionMove]:
    """Every region in which song and expectation hold sound.

    The mean m of a region's bands has the variance m·Σ·mᵀ.

    Args:
        song_db: (third,) of the song, less the mean over the bands that are known.
        normal: what is expected, less the same mean.
        curve_db: (third,) the move.
        among: what the song is compared with.
    """
    found = []
    for region in REGIONS:
        used = region.bands & normal.known
        if used.any():
            mean = used / used.sum()
            sd_db = max(float(np.sqrt(mean @ normal.covariance @ mean)), LEAST_SD_DB)
            standing = Standing(
                region.name, region.span, "dB", float(mean @ song_db), float(mean @ normal.mean), sd_db
            )
            found.append(RegionMove(standing, region.low_hz, region.high_hz, float(mean @ curve_db), among))
    return found
