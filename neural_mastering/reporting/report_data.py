"""What both report pages are given: readings, curves, courses over time, pictures and audio to listen to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Role = Literal["before", "target", "result", "reference", "oracle"]
"""Which colour a line and a player button get: `result` is anything a system made."""


class BandLike(Protocol):
    """One band of an equaliser; `rendering.controls.EqBand` is one."""

    @property
    def kind(self) -> str:
        """Such as "low_shelf", "peak" or "high_shelf"."""
        ...

    @property
    def frequency_hz(self) -> float:
        """Centre of a peak, middle of a shelf's slope."""
        ...

    @property
    def gain_db(self) -> float:
        """At the centre of a peak, at the far end of a shelf."""
        ...

    @property
    def q(self) -> float:
        """Quality factor."""
        ...


@dataclass(frozen=True)
class EqCurve:
    """What an equaliser does.

    Attributes:
        at_hz: (frequency,) ascending, in Hz; 100 to 400 log-spaced points draw well.
        total_db: (frequency,) the true total response in dB (broadband gain left out).
        bands: the bands that make it, in any order; closed ones left out.
        bands_db: (band, frequency) response of each band alone in dB, drawn faint; None draws none.
    """

    at_hz: ArrayLike
    total_db: ArrayLike
    bands: Sequence[BandLike] = ()
    bands_db: ArrayLike | None = None


@dataclass(frozen=True)
class ChartLine:
    """One line of a chart.

    Attributes:
        name: shown in the legend.
        values: (point,) in the unit of the chart; NaN and infinities leave a gap.
        role: picks the colour.
        at: (point,) own abscissae where they differ from those of the chart.
    """

    name: str
    values: ArrayLike
    role: Role = "result"
    at: ArrayLike | None = None


@dataclass(frozen=True)
class Chart:
    """Lines over one axis: levels over third octaves, or loudness over time.

    Attributes:
        at: (point,) in Hz or seconds.
        lines: what is drawn, the first one lowest.
        corridor: lower and upper end (point,) of a shaded range behind the lines; None for none.
    """

    at: ArrayLike
    lines: Sequence[ChartLine]
    corridor: tuple[ArrayLike, ArrayLike] | None = None


@dataclass(frozen=True)
class Clip:
    """Audio for a player: the same excerpt of each source of a song.

    Attributes:
        name: of the source, shown on the button ("before", "after", "target", a system).
        audio: (channel, time) or (time,), full scale ±1, one or two channels. All clips of a player start at the
            same moment of the song. `clip_from_file` reads an excerpt of a file.
        sample_rate_hz: of the array; above 48 kHz the copy in the page is resampled to 44.1 or 48 kHz.
        role: picks the colour.
        start_s: where in the song the excerpt begins, shown under the player.
    """

    name: str
    audio: NDArray[np.floating]
    sample_rate_hz: float
    role: Role = "result"
    start_s: float = 0.0


@dataclass(frozen=True)
class Picture:
    """A plot made elsewhere.

    Attributes:
        title: above it.
        image: path of a PNG or SVG file, or the bytes of one.
        alt: what it shows, for those who can't see it.
        caption: below it.
    """

    title: str
    image: Path | bytes
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Table:
    """A plain table of text and numbers.

    Attributes:
        title: above it.
        columns: headings with their units ("gain (dB)").
        rows: cells; numbers are aligned right and shown with `digits` decimals, None and NaN as a dash.
        caption: below it.
        digits: decimals of float cells, one number or one for each column.
        highlight: numbers of the rows to print bold.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float | int | None]]
    caption: str = ""
    digits: int | Sequence[int] = 2
    highlight: Sequence[int] = ()
