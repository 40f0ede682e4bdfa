"""Songs and masters as numbers, measured once and kept in OUT as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.common.middle import read_middle
from experiments.engineers.hearing import (
    Float64s,
    Hearing,
    Level,
    hear,
    level_of,
    side_over_mid_db,
    third_octave_shape,
)
from experiments.engineers.songs import Song
from neural_mastering.atomic import write_text

SECONDS = 60.0
"""At most so much from the middle of a song is heard."""

_DIGITS = 4


@dataclass(frozen=True)
class Sound:
    """What mix and master are compared by.

    Attributes:
        levels_db: (third,) as in `Hearing`.
        level: loudness, PLR, LRA.
        side_db: energy of L − R over that of L + R.
    """

    levels_db: Float64s
    level: Level
    side_db: float

    @classmethod
    def of(cls, audio: Float64s, rate: int) -> Sound:
        """Measure audio (time, 2)."""
        return cls(third_octave_shape(audio, rate), level_of(audio, rate), side_over_mid_db(audio))


@dataclass(frozen=True)
class Mix:
    """A song, what engineers hear of it, and its own width."""

    song: Song
    heard: Hearing
    side_db: float

    @property
    def sound(self) -> Sound:
        """To compare with a master's."""
        return Sound(self.heard.levels_db, self.heard.level, self.side_db)


def stereo_middle(path: Path, seconds: float = SECONDS) -> tuple[Float64s, int]:
    """The middle of a song, (time, 2), float64, and its rate."""
    audio, rate = read_middle(path, seconds)
    return (np.repeat(audio, 2, axis=1) if audio.shape[1] == 1 else audio[:, :2]), rate


def mix_of(song: Song, out: Path) -> Mix:
    """Read OUT/mixes/PACKAGE/NAME.json, or measure and write it."""
    file = out / "mixes" / f"{song.key}.json"
    if not file.exists():
        audio, rate = stereo_middle(song.path)
        _write(file, {**asdict(hear(audio, rate)), "side_db": side_over_mid_db(audio)})
    held = json.loads(file.read_text("utf-8"))
    side_db = held.pop("side_db")
    held |= {"levels_db": np.array(held["levels_db"]), "level": Level(**held["level"])}
    return Mix(song, Hearing(**held), side_db)


def read_sound(file: Path) -> Sound:
    """Read what `write_sound` wrote."""
    held = json.loads(file.read_text("utf-8"))
    return Sound(np.array(held["levels_db"]), Level(**held["level"]), held["side_db"])


def write_sound(file: Path, sound: Sound) -> None:
    """Write numbers of a master."""
    _write(file, asdict(sound))


def _write(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(_rounded(content)) + "\n")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return [round(float(each), _DIGITS) for each in value]
    return round(float(value), _DIGITS)
