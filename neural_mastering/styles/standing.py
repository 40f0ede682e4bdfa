"""Where a number lies among the songs of a style: sigma, percentile, and the words for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from neural_mastering.styles.profile import Spread

USUAL_SIGMA = 0.674
"""Half of all songs lie within this."""

_ROUND = (4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000)


@dataclass(frozen=True)
class Standing:
    """One quantity of a song, beside those of a style.

    Attributes:
        name: such as "sub" or "width".
        span: where it was measured, such as "30–60 Hz"; may be empty.
        unit: such as "dB".
        value: of the song.
        usual: of the mean song of the style, in the same unit.
        sd: standard deviation between songs.
        higher, lower: how to say that the song has more or less.
    """

    name: str
    span: str
    unit: str
    value: float
    usual: float
    sd: float
    higher: str = "above"
    lower: str = "below"

    @property
    def difference(self) -> float:
        """Value less that of the mean song."""
        return self.value - self.usual

    @property
    def sigma(self) -> float:
        """Difference in standard deviations."""
        return self.difference / self.sd

    @property
    def percentile(self) -> float:
        """Share of the style's songs below this one, 0 to 100, if they are normally distributed."""
        return 100.0 * NormalDist().cdf(self.sigma)

    @property
    def rarity(self) -> int | None:
        """N where one song in N is at least as far out on this side; None within the middle half of all songs."""
        if abs(self.sigma) <= USUAL_SIGMA:
            return None
        exact = 1.0 / max(NormalDist().cdf(-abs(self.sigma)), 1e-9)
        return min(_ROUND, key=lambda n: abs(math.log(n / exact)))

    def words(self, among: str = "songs like this") -> str:
        """One line for people: "sub 30–60 Hz: 6.2 dB above songs like this, 1 in 20 is"."""
        label = f"{self.name} {self.span}".strip()
        if self.rarity is None:
            return f"{label}: {self.difference:+.1f} {self.unit}, as usual"
        side = self.higher if self.difference > 0.0 else self.lower
        many = "fewer than 1 in 1000 are" if self.rarity >= _ROUND[-1] else f"1 in {self.rarity} is"
        return f"{label}: {abs(self.difference):.1f} {self.unit} {side} {among}, {many}"


def standing_of(
    name: str,
    span: str,
    unit: str,
    value: float,
    spread: Spread | None,
    words: tuple[str, str] = ("above", "below"),
) -> Standing | None:
    """The standing of a value; None where either was not measured. The words are for more and less of it."""
    if spread is None or not math.isfinite(value):
        return None
    return Standing(name, span, unit, value, spread.mean, spread.sd, *words)
