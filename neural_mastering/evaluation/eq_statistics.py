"""How the bands of a model's equaliser are used over songs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_mastering.evaluation.controls_trace import BandTrace
from neural_mastering.evaluation.song_result import SongResult


@dataclass(frozen=True)
class BandStatistics:
    """One band over songs; quantiles are taken over the songs in which it is open, NaN where it never is.

    Attributes:
        number, kind: of the band.
        songs: number of songs.
        open_songs: songs in which it is open.
        held_songs: of these, songs in which it is open only to reach the least number of bands.
        probability: mean probability of its gate to be open.
        gain_db, frequency_hz, q: (mean, 10th percentile, median, 90th percentile).
    """

    number: int
    kind: str
    songs: int
    open_songs: int
    held_songs: int
    probability: float
    gain_db: tuple[float, float, float, float]
    frequency_hz: tuple[float, float, float, float]
    q: tuple[float, float, float, float]

    @property
    def open_share(self) -> float:
        """Share of songs in which it is open."""
        return self.open_songs / self.songs


def bands_by_song(results: Sequence[SongResult], model: str) -> list[tuple[BandTrace, ...]]:
    """The bands of each song's equaliser, of the songs that have one."""
    traces = [result.traces.get(model) for result in results]
    return [trace.bands for trace in traces if trace is not None and trace.bands]


def band_statistics(songs: Sequence[Sequence[BandTrace]]) -> list[BandStatistics]:
    """Statistics of each band, from the low end up."""
    if not songs:
        return []
    rows = []
    for bands in zip(*songs, strict=True):
        is_open = [band for band in bands if band.is_open]
        rows.append(
            BandStatistics(
                number=bands[0].number,
                kind=bands[0].kind,
                songs=len(bands),
                open_songs=len(is_open),
                held_songs=sum(band.held and band.probability < 0.5 for band in is_open),
                probability=float(np.mean([band.probability for band in bands])),
                gain_db=_spread([band.gain_db for band in is_open]),
                frequency_hz=_spread([band.frequency_hz for band in is_open]),
                q=_spread([band.q for band in is_open]),
            )
        )
    return rows


def open_share_by_group(results: Sequence[SongResult], model: str) -> tuple[list[str], NDArray[np.float64]]:
    """Names of groups with their number of songs, and (group, band) shares of songs with the band open."""
    groups: dict[str, list[list[bool]]] = {}
    for result in results:
        trace = result.traces.get(model)
        if trace is not None and trace.bands:
            groups.setdefault(result.group, []).append([band.is_open for band in trace.bands])
    names = sorted(groups, key=lambda name: (-len(groups[name]), name))
    shares = [np.mean(groups[name], axis=0) for name in names]
    return [f"{name} ({len(groups[name])})" for name in names], np.array(shares)


def _spread(values: Sequence[float]) -> tuple[float, float, float, float]:
    if not values:
        return np.nan, np.nan, np.nan, np.nan
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    return float(np.mean(values)), float(low), float(middle), float(high)
