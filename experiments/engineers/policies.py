"""The planted engineers: what each does to a song, as a function of what can be heard in it.

The ranges of the ramps come from the songs of the training packages (5 to 95 %, rounded).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from experiments.engineers.hearing import CENTRES_HZ, Float64s, Hearing, centred
from experiments.engineers.moves import Band, Settings
from neural_mastering.chance import seed_of

INCONSISTENCY_DB = 0.5
"""Standard deviation of each gain of a human who would not do exactly the same twice."""


class Engineer(NamedTuple):
    """A planted engineer.

    Attributes:
        name, does: for tables.
        settings: the policy.
        hears: (third or 1, feature) the right features: what a regression must read to know this engineer.
        inconsistent: its gains vary by 0.5 dB.
    """

    name: str
    does: str
    settings: Callable[[Hearing], Settings]
    hears: Callable[[Hearing], Float64s]
    inconsistent: bool = False


def ramp(value: float, low: float, high: float) -> float:
    """0 at `low` and below, 1 at `high` and above, linear between; `low` may be the larger."""
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


def _constant(_: Hearing) -> Settings:
    return Settings(
        bands=(
            Band("low_shelf", 90.0, 2.0),
            Band("peak", 350.0, -2.0, 0.8),
            Band("peak", 3_000.0, 1.5, 0.7),
            Band("high_shelf", 9_000.0, 2.5),
        )
    )


def target_db() -> Float64s:
    """(third,) mean spectrum of 12,345 popular songs: Elowsson & Friberg, AES 142, 2017, closed form."""
    x = 1.0 + 60.0 * np.log2(np.maximum(CENTRES_HZ, 30.0) / 30.0)
    above = -0.000183 * x**2 + 0.0213 * x - 16.735
    below = -0.000907 * x**2 + 0.256 * x - 32.942
    return centred(np.where(CENTRES_HZ > 94.0, above, below))


def smoothed(levels_db: Float64s) -> Float64s:
    """(third,) mean over five third octaves, fewer at the ends."""
    kernel = np.ones(5)
    return np.convolve(levels_db, kernel, "same") / np.convolve(np.ones(len(levels_db)), kernel, "same")


def _toward(heard: Hearing, share: float) -> Float64s:
    """(third,) a share of the way to the target, 8 dB at the most, constant outside 50 Hz to 12.5 kHz."""
    way = share * (target_db() - smoothed(heard.levels_db))
    way = np.clip(centred(way), -8.0, 8.0)
    inside = np.flatnonzero((CENTRES_HZ > 49.0) & (CENTRES_HZ < 13_000.0))
    return way[np.clip(np.arange(len(way)), inside[0], inside[-1])]


def _target_share(heard: Hearing) -> Settings:
    return Settings(curve_db=_toward(heard, 0.5))


def _bass(heard: Hearing) -> Band:
    return Band("low_shelf", 90.0, 4.0 - 5.0 * ramp(heard.percussiveness, 0.40, 0.60))


def _bright(heard: Hearing) -> Band:
    return Band("high_shelf", 5_000.0, 4.0 - 5.0 * ramp(heard.density, 0.42, 0.70))


def _soft_presence(heard: Hearing) -> Band:
    return Band("peak", 3_200.0, -5.0 * ramp(heard.presence_fluctuation_db, 3.0, 11.0), 0.9)


def _side_db(heard: Hearing) -> float:
    return -2.0 + 5.0 * ramp(heard.correlation, 0.2, 1.0)


def _dynamics(heard: Hearing) -> Settings:
    level = heard.level
    return Settings(
        bands=(Band("high_shelf", 8_000.0, 1.0),),
        ratio=1.0 + 2.0 * ramp(level.plr_db, 10.0, 18.0),
        threshold_db=-2.0,
        loudness_lufs=-10.0 - 5.0 * ramp(level.lra_lu, 2.0, 10.0),
        limited=True,
    )


def _composite(heard: Hearing) -> Settings:
    return replace(
        _dynamics(heard),
        bands=(_bass(heard), _soft_presence(heard), _bright(heard)),
        curve_db=_toward(heard, 0.25),
        side_db=_side_db(heard),
    )


def _saturating(heard: Hearing) -> Settings:
    return Settings(
        bands=(Band("low_shelf", 90.0, 1.5),), drive_db=12.0 - 6.0 * ramp(heard.percussiveness, 0.40, 0.60)
    )


def _one(*names: str) -> Callable[[Hearing], Float64s]:
    """Named features, the same for every band."""
    return lambda heard: np.array([[_feature(heard, name) for name in names]])


def _feature(heard: Hearing, name: str) -> float:
    return float(getattr(heard.level if hasattr(heard.level, name) else heard, name))


def _own_band(heard: Hearing) -> Float64s:
    """Each band's own smoothed level."""
    return smoothed(heard.levels_db)[:, None]


_COMPOSITE = ("percussiveness", "density", "presence_fluctuation_db", "plr_db", "lra_lu")

ENGINEERS: tuple[Engineer, ...] = (
    Engineer("constant", "the same curve for every song", _constant, lambda _: np.zeros((1, 0))),
    Engineer("target", "half of the way to a fixed spectrum", _target_share, _own_band),
    Engineer(
        "bass",
        "bass where the song is not percussive",
        lambda heard: Settings(bands=(_bass(heard), Band("high_shelf", 8_000.0, 1.0))),
        _one("percussiveness"),
        inconsistent=True,
    ),
    Engineer(
        "bright",
        "treble where the song is sparse",
        lambda heard: Settings(bands=(Band("low_shelf", 90.0, 1.0), _bright(heard))),
        _one("density"),
        inconsistent=True,
    ),
    Engineer(
        "harsh",
        "less 3 kHz where it fluctuates",
        lambda heard: Settings(bands=(Band("low_shelf", 90.0, 1.0), _soft_presence(heard))),
        _one("presence_fluctuation_db"),
    ),
    Engineer("dynamics", "compression by PLR, loudness by LRA", _dynamics, _one("plr_db", "lra_lu")),
    Engineer(
        "width",
        "side where the song is narrow",
        lambda heard: Settings(bands=(Band("high_shelf", 9_000.0, 1.5),), side_db=_side_db(heard)),
        _one("correlation"),
    ),
    Engineer(
        "composite",
        "all of these, a quarter of the way to the target",
        _composite,
        lambda heard: np.concatenate(
            [_own_band(heard), np.repeat(_one(*_COMPOSITE)(heard), len(CENTRES_HZ), axis=0)], axis=1
        ),
        inconsistent=True,
    ),
)

SATURATING = Engineer(
    "saturating", "drive where the song is not percussive", _saturating, _one("percussiveness")
)
"""For the training of phases."""


def by_name(name: str) -> Engineer:
    """An engineer of the zoo, or the saturating one."""
    return next(engineer for engineer in (*ENGINEERS, SATURATING) if engineer.name == name)


def settings_of(engineer: Engineer, heard: Hearing, song: str, exact: bool = False) -> Settings:
    """What the engineer does to a song.

    Args:
        engineer: of the zoo.
        heard: the song.
        song: its name, which decides the inconsistency.
        exact: without inconsistency.
    """
    settings = engineer.settings(heard)
    if exact or not engineer.inconsistent:
        return settings
    rng = np.random.default_rng(seed_of("inconsistency", engineer.name, song))
    bands = tuple(
        Band(band.kind, band.frequency_hz, band.gain_db + INCONSISTENCY_DB * rng.standard_normal(), band.q)
        for band in settings.bands
    )
    return replace(settings, bands=bands)
