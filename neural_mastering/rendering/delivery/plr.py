"""A ratio of true peak to loudness (PLR) that peaks are brought down to."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neural_mastering.errors import InputError

MOST_PLR_DB = 100.0
OFF = "off"


@dataclass(frozen=True)
class PlrTarget:
    """What is asked for.

    Attributes:
        plr_db: true peak less loudness.
        share: of the way from the song's own, 0 to 1; 0 leaves the peaks alone.
    """

    plr_db: float
    share: float = 1.0

    def __str__(self) -> str:
        """As `parse_plr` reads it, without loss."""
        if self.share <= 0.0:
            return OFF
        return repr(self.plr_db) if self.share >= 1.0 else f"{self.plr_db!r}:{self.share!r}"


LEFT_ALONE = PlrTarget(0.0, 0.0)


def parse_plr(value: str | float | None) -> PlrTarget | None:
    """9 or "9" → 9 dB; "9:0.6" → 60 % of the way there; "off" → `LEFT_ALONE`; None → None.

    >>> parse_plr("9:0.6"), str(parse_plr(8.5))
    (PlrTarget(plr_db=9.0, share=0.6), '8.5')

    Raises:
        InputError: none of these.
    """
    if value is None:
        return None
    text = str(value).strip().lower()
    if text == OFF:
        return LEFT_ALONE
    number, separator, rest = text.partition(":")
    try:
        plr_db, share = float(number), float(rest) if separator else 1.0
    except ValueError:
        plr_db = share = math.nan
    if not (abs(plr_db) <= MOST_PLR_DB and 0.0 <= share <= 1.0):  # also refuses NaN
        raise InputError(
            f"--plr {value}: expected off, or the dB of the true peak above the loudness, such as 9; "
            "9:0.6 goes 60 % of the way"
        )
    return PlrTarget(plr_db, share)
