"""A short list of numbers that describe a song in words: how percussive, dense, bright, wide … it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, Float64s
from neural_mastering.engineer.features import SongFeatures
from neural_mastering.metering.texture import RANGES as TEXTURE_RANGES

CLIP = 3.0
"""Standardised traits are clipped here: a song unlike all others is not extrapolated to."""


@dataclass(frozen=True)
class Trait:
    """One number of a song.

    Attributes:
        name: in files.
        more: what a song is with more of it, such as "more percussive".
        of: from features to the number.
        level: it says how loud the mix is, and so can't shape its tone.
    """

    name: str
    more: str
    of: Callable[[SongFeatures], float]
    level: bool = False


@lru_cache(maxsize=256)
def _places(names: tuple[str, ...], families: tuple[str, ...], low_hz: float, high_hz: float) -> list[int]:
    """Places of the features of these families in a range: attack_63 and attack_125 are of the family attack."""
    found = []
    for i, name in enumerate(names):
        family, _, hz = name.rpartition("_")
        if name in families or (family in families and hz.isdigit() and low_hz <= int(hz) <= high_hz):
            found.append(i)
    return found


def _content(
    *families: str, low_hz: float = 0.0, high_hz: float = 20_000.0
) -> Callable[[SongFeatures], float]:
    """Mean over content features."""

    def value(song: SongFeatures) -> float:
        return float(song.content.values[_places(song.content.names, families, low_hz, high_hz)].mean())

    return value


def _level(low_hz: float, high_hz: float) -> Callable[[SongFeatures], float]:
    inside = (low_hz < CENTRES_HZ) & (high_hz > CENTRES_HZ)

    def value(song: SongFeatures) -> float:
        levels = filled_levels_db(song)
        return float(levels[inside].mean())

    return value


def _tilt(song: SongFeatures) -> float:
    octaves = np.log2(CENTRES_HZ[BROAD])
    return float(np.polyfit(octaves, filled_levels_db(song)[BROAD], 1)[0])


def _crest(*octaves: int) -> Callable[[SongFeatures], float]:
    def value(song: SongFeatures) -> float:
        crest = song.crest_db[list(octaves)]
        return float(np.nanmean(crest)) if np.isfinite(crest).any() else 12.0

    return value


def filled_levels_db(song: SongFeatures) -> Float64s:
    """(third,) spectrum, mean 0 from 50 Hz to 12.5 kHz; bands without sound keep their neighbour's level."""
    held = np.flatnonzero(song.filled)
    levels = np.interp(np.arange(len(song.levels_db)), held, song.levels_db[held])
    return levels - levels[BROAD].mean()


_RANGES = (
    ("", "", 0.0, 20_000.0),
    ("_low", " in the bass", 50.0, 160.0),
    ("_middle", " in the middle", 200.0, 1_250.0),
    ("_presence", " from 2 to 5 kHz", 1_600.0, 5_000.0),
    ("_high", " in the treble", 6_300.0, 12_000.0),
)
"""Ending of the name, words, and edges of each range."""

_FAMILIES = (
    ("attack", "more percussive"),
    ("bursts", "more marked by single hits"),
    ("flux", "busier"),
    ("rises_3", "denser in onsets"),
    ("rises_9", "richer in strong hits"),
    ("peaks", "spikier"),
    ("spread", "more changeable in level"),
    ("upper", "more marked by loud moments"),
    ("lower", "more marked by quiet moments"),
    ("flat", "noisier"),
    ("steady", "more sustained in its notes"),
    ("width_moves", "more mobile in width"),
)
"""Families of content features, and what a song is with more of them."""


def _by_range(family: str, more: str) -> Iterator[Trait]:
    for ending, where, low_hz, high_hz in _RANGES:
        yield Trait(family + ending, more + where, _content(family, low_hz=low_hz, high_hz=high_hz))


def _textures() -> Iterator[Trait]:
    where = {ending: words for ending, words, *_ in _RANGES}
    for i, (ending, *_) in enumerate(TEXTURE_RANGES):
        yield Trait(
            "density" + ending, "denser" + where[ending], lambda song, i=i: float(song.texture.density[i])
        )
        yield Trait(
            "fluctuation" + ending,
            "more fluctuating" + where[ending],
            lambda song, i=i: float(song.texture.fluctuation_db[i]),
        )


TRAITS: tuple[Trait, ...] = (
    *(trait for family in _FAMILIES for trait in _by_range(*family)),
    *_textures(),
    Trait("modulation_slow", "more changeable over seconds", _content("modulation_0.25", "modulation_0.5")),
    Trait("modulation_beat", "more rhythmic", _content("modulation_2", "modulation_4")),
    Trait("modulation_fast", "more fluttering", _content("modulation_8")),
    Trait("pulse", "steadier in its pulse", _content("pulse_low", "pulse_middle", "pulse_high")),
    Trait("together", "more unanimous in its movement", _content("together")),
    Trait("bass", "heavier in the bass", _level(35.0, 140.0)),
    Trait("low_middle", "thicker in the lower middle", _level(180.0, 560.0)),
    Trait("presence", "stronger from 2 to 5 kHz", _level(1_900.0, 5_200.0)),
    Trait("air", "brighter", _level(7_500.0, 13_000.0)),
    Trait("tilt", "more tilted to the treble", _tilt),
    Trait("plr", "more dynamic in its peaks", lambda song: song.plr_db),
    Trait("lra", "more dynamic in its loudness", lambda song: song.lra_lu),
    Trait("crest_low", "punchier in the bass", _crest(1, 2)),
    Trait("crest_middle", "punchier in the middle", _crest(4, 5, 6)),
    Trait("crest_high", "punchier in the treble", _crest(7, 8)),
    Trait("width", "wider", lambda song: song.width_db),
    Trait("correlation", "nearer to mono", lambda song: song.correlation),
    Trait("loudness", "louder", lambda song: song.loudness_lufs, level=True),
)


def clipped(standardised: Float64s) -> Float64s:
    """A song far outside what is known is treated as one at its edge."""
    return np.clip(standardised, -CLIP, CLIP)


def trait_values(songs: Sequence[SongFeatures]) -> Float64s:
    """(song, trait) in the units of each trait."""
    return np.array([[trait.of(song) for trait in TRAITS] for song in songs])
