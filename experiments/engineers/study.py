"""Every system learns every engineer from 10 to 100 pairs and is judged on songs of other packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.engineers import outside
from experiments.engineers.cache import Mix, mix_of
from experiments.engineers.pairs import Pair, pairs_of
from experiments.engineers.policies import ENGINEERS, by_name
from experiments.engineers.scores import Score, score, song_dependence
from experiments.engineers.songs import Part, Song, in_turn, songs_of
from experiments.engineers.systems import BASELINES, System, ridge_on

NAMES = (*(engineer.name for engineer in ENGINEERS), outside.NAME)
RENDERED = ("dynamics", "composite", outside.NAME)
"""Engineers whose masters have to be rendered to be known."""

CLOSED_FORM = tuple(name for name in NAMES if name not in RENDERED)
"""Engineers whose tone is known in closed form."""

CEILING = "ridge, right feature"
SIZES = (10, 20, 50, 100)
SEEDS = (0, 1, 2)


class Cell(NamedTuple):
    """A system that learned an engineer from so many pairs.

    Attributes:
        engineer, pairs, system: which.
        songs, packages: of the test.
        dependence: part of the whole move that differs between songs.
        score: over all orders of the training songs.
        orders: the song-dependent part, or the whole where there is none, of each order alone.
    """

    engineer: str
    pairs: int
    system: str
    songs: int
    packages: int
    dependence: float
    score: Score
    orders: tuple[float, ...]


class Bench(NamedTuple):
    """Songs to learn from, in no order, and songs to be judged on; `out` keeps what is measured."""

    training: Sequence[Song]
    judged: Sequence[Song]
    out: Path


def bench(songs: Iterable[Song], part: Part, out: Path, most: int | None = None) -> Bench:
    """Songs of the training packages, one of each in turn, and those of the development or of the test.

    Args:
        songs: of the pool.
        part: to be judged on.
        out: keeps what is measured.
        most: how many songs all orders draw from; None for all.
    """
    songs = list(songs)
    return Bench(in_turn(songs_of(songs, "train"), 0)[:most], in_turn(songs_of(songs, part), 0), out)


def systems_for(name: str, out: Path, others: Mapping[str, System]) -> dict[str, System]:
    """The baselines, the ceiling on what the engineer hears (kept in `out` where ffmpeg reads it), and others."""
    if name == outside.NAME:
        right = ridge_on(lambda mix: outside.hears(mix.song.path, out / "readings" / f"{mix.song.key}.json"))
    else:
        engineer = by_name(name)
        right = ridge_on(lambda mix: engineer.hears(mix.heard))
    return dict(BASELINES) | {CEILING: right} | dict(others)


def cells_of(
    name: str,
    given: Bench,
    sizes: Sequence[int],
    seeds: Sequence[int],
    systems: Mapping[str, System],
    told: Callable[[str], None],
) -> list[Cell]:
    """All sizes and systems of one engineer; a size that the training songs don't reach is left out."""
    known: dict[Song, Pair] = {}

    def pairs(songs: Sequence[Song]) -> list[Pair]:
        missing = [song for song in songs if song not in known]
        mixes: list[Mix] = [mix_of(song, given.out) for song in missing]
        known.update(zip(missing, pairs_of(name, mixes, given.out, told), strict=True))
        return [known[song] for song in songs]

    judged = pairs(given.judged)
    packages = len({song.package for song in given.judged})
    found = []
    for size in sizes:
        if size > len(given.training):
            continue
        orders = seeds if size < len(given.training) else seeds[:1]  # all orders hold the same songs
        taught = [pairs(in_turn(given.training, seed)[:size]) for seed in orders]
        for system, learn in systems.items():
            guesses = []
            for each in taught:
                learned = learn(each)
                guesses.append([learned(pair.mix) for pair in judged])
            scored = score(judged, guesses)
            alone = [score(judged, [each]) for each in guesses]
            constant = scored.song_dependent.value != scored.song_dependent.value
            shares = tuple((s.whole if constant else s.song_dependent).value for s in alone)
            found.append(
                Cell(name, size, system, len(judged), packages, song_dependence(judged), scored, shares)
            )
        told(f"{name}: {size} pairs")
    return found
