"""Pairs of mix and master as numbers: what a learner is given, and what it is judged by."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.engineers import outside
from experiments.engineers.cache import Mix, Sound, read_sound, stereo_middle, write_sound
from experiments.engineers.hearing import Float64s, Level, centred
from experiments.engineers.mastering import master
from experiments.engineers.moves import Settings, tone_db
from experiments.engineers.policies import by_name, settings_of


@dataclass(frozen=True)
class Pair:
    """A mix and what an engineer made of it.

    Attributes:
        mix: the song.
        true_db: (third,) the tone curve without inconsistency, less its mean from 50 Hz to 12.5 kHz.
        given_db: (third,) the one that is given to learn from.
        level: of the master.
        side_db: change of L − R against L + R; 0 for songs without a side.
    """

    mix: Mix
    true_db: Float64s
    given_db: Float64s
    level: Level
    side_db: float


def pair_of(name: str, mix: Mix, out: Path) -> Pair:
    """What an engineer makes of a song.

    The tone of an engineer without dynamics is taken in closed form: `given_db` with, `true_db` without
    inconsistency; loudness and width are those of the settings, PLR and LRA those of the mix. Masters of the others
    are rendered and measured once, and the numbers kept in OUT/masters. For engineers of our own `true_db` is still
    the curve of their equalisers, for the outside one it is what was measured.
    """
    if name == outside.NAME:
        sound = _kept(name, mix, out, lambda: _outside(mix))
        curve = centred(sound.levels_db - mix.heard.levels_db)
        return Pair(mix, curve, curve, sound.level, _side_change(mix, sound))
    engineer = by_name(name)
    exact, given = (settings_of(engineer, mix.heard, mix.song.key, exact) for exact in (True, False))
    if not given.changes_dynamics:
        level = replace(mix.heard.level, loudness_lufs=given.loudness_lufs)
        side_db = given.side_db if mix.side_db > _NO_SIDE_DB else 0.0
        return Pair(mix, tone_db(exact), tone_db(given), level, side_db)
    sound = _kept(name, mix, out, lambda: _rendered(mix, given))
    curve = centred(sound.levels_db - mix.heard.levels_db)
    return Pair(mix, tone_db(exact), curve, sound.level, _side_change(mix, sound))


def pairs_of(name: str, mixes: Sequence[Mix], out: Path, told: Callable[[str], None] = print) -> list[Pair]:
    """Of many songs."""
    found = []
    for i, mix in enumerate(mixes):
        found.append(pair_of(name, mix, out))
        if i % 25 == 24:
            told(f"{name}: {i + 1} of {len(mixes)}")
    return found


_NO_SIDE_DB = -39.0


def _side_change(mix: Mix, sound: Sound) -> float:
    return sound.side_db - mix.side_db if mix.side_db > _NO_SIDE_DB else 0.0


def _kept(name: str, mix: Mix, out: Path, measure: Callable[[], Sound]) -> Sound:
    file = out / "masters" / name / f"{mix.song.key}.json"
    if not file.exists():
        write_sound(file, measure())
    return read_sound(file)


def _rendered(mix: Mix, settings: Settings) -> Sound:
    audio, rate = stereo_middle(mix.song.path)
    return Sound.of(master(audio, rate, settings), rate)


def _outside(mix: Mix) -> Sound:
    with tempfile.TemporaryDirectory() as folder:
        wet = Path(folder) / "master.wav"
        outside.master(mix.song.path, wet, outside.read(mix.song.path))
        audio, rate = stereo_middle(wet)
        return Sound.of(audio, rate)
