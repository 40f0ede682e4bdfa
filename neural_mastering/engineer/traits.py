"""A short list of numbers that describe a song in words: how percussive, dense, bright, wide … it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, Float64s
from neural_mastering.engineer.features import SongFeatures

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
def _places(names: tuple[str, ...], wanted: tuple[str, ...]) -> list[int]:
    """Where the features lie that have one of these names, or begin with one that ends in an underscore."""

    def fits(name: str) -> bool:
        return any(
            name == want or (want.endswith("_") and name.startswith(want) and name[len(want) :].isdigit())
            for want in wanted
        )

    return [i for i, name in enumerate(names) if fits(name)]


def _content(*wanted: str) -> Callable[[SongFeatures], float]:
    """Mean over content features."""

    def value(song: SongFeatures) -> float:
        return float(song.content.values[_places(song.content.names, wanted)].mean())

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


def _each(name: str, *octaves: int) -> tuple[str, ...]:
    return tuple(f"{name}_{octave}" for octave in octaves)


_LOW, _MIDDLE, _PRESENCE, _HIGH = (63, 125), (250, 500, 1000), (2000, 4000), (8000,)

TRAITS: tuple[Trait, ...] = (
    Trait("attack", "more percussive", _content("attack_")),
    Trait("attack_low", "more percussive in the bass", _content(*_each("attack", *_LOW))),
    Trait("attack_high", "more percussive in the treble", _content(*_each("attack", *_PRESENCE, *_HIGH))),
    Trait("bursts", "more marked by single hits", _content("bursts_")),
    Trait("flux", "busier", _content("flux_")),
    Trait("rises_small", "denser", _content("rises_3_")),
    Trait("rises_large", "richer in strong hits", _content("rises_9_")),
    Trait("peaks", "spikier", _content("peaks_")),
    Trait("spread_common", "more changeable in level", _content("spread_common")),
    Trait("spread_low", "more changeable in the bass", _content(*_each("spread", *_LOW))),
    Trait("spread_middle", "more changeable in the middle", _content(*_each("spread", *_MIDDLE))),
    Trait("spread_presence", "more changeable from 2 to 5 kHz", _content(*_each("spread", *_PRESENCE))),
    Trait("spread_high", "more changeable in the treble", _content(*_each("spread", *_HIGH))),
    Trait("modulation_slow", "more changeable over seconds", _content("modulation_0.25_", "modulation_0.5_")),
    Trait("modulation_beat", "more rhythmic", _content("modulation_2_", "modulation_4_")),
    Trait("modulation_fast", "more fluttering", _content("modulation_8_")),
    Trait("pulse", "steadier in its pulse", _content("pulse_low", "pulse_middle", "pulse_high")),
    Trait("together", "more unanimous in its movement", _content("together")),
    Trait("noisy", "noisier", _content("flat_")),
    Trait("steady", "more sustained in its notes", _content("steady_")),
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


def trait_values(songs: Sequence[SongFeatures]) -> Float64s:
    """(song, trait) in the units of each trait."""
    return np.array([[trait.of(song) for trait in TRAITS] for song in songs])
