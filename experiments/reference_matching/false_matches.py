"""How often does another song pass for a version of this one, and what harm does it do?

    python -m experiments.reference_matching.false_matches MUSIC_FOLDER [--pairs PAIRS_FOLDER] [--out FILE]

MUSIC_FOLDER holds one folder a group with finished songs in it. Every song is compared with every other one, as it
is (each move is harm) and behind a random equaliser. The curve that the equaliser would be fitted to is judged, in
third octaves: nothing is rendered, so that thousands of pairs can be looked at. With each pair goes the correlation
of the fine structures; PAIRS_FOLDER, made by nm-data degrade, says what that is for inputs and their masters.
"""

import csv
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.signal import sosfreqz

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows
from experiments.common.song_folders import songs_by_group
from experiments.reference_matching.equaliser import random_equaliser
from experiments.reference_matching.excerpts import RATE, Samples, read
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.fine_structure import same_song_share, structure_correlation
from neural_mastering.metering.profile import Profile, profile_of
from neural_mastering.rendering.reference.match import SAME_SONG, match_references
from neural_mastering.rendering.reference.prior import SCALES, estimate

MOVES_DB = 0.1
"""A curve of less than this (RMS) counts as none."""

ALIKE = 0.9
"""Correlation of fine structures from which two songs are taken to be one under two names."""


class Song(NamedTuple):
    """A finished song and what a random equaliser would do to it."""

    name: str
    group: str
    profile: Profile
    equaliser_db: Samples


class Pair(NamedTuple):
    """What a reference does to a song.

    Attributes:
        alike: correlation of the fine structures.
        same_song: probability that the reference is a version of the song.
        finished_db: RMS of the curve that the finished song would get: all of it harm.
        degraded_db: change of the RMS error of the song behind the equaliser; below 0 is help.
    """

    song: str
    reference: str
    kind: str
    alike: float
    same_song: float
    finished_db: float
    degraded_db: float


def main() -> None:
    """Measure all songs, compare all pairs, print the table and the worst false matches."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0, help="this much from the middle of each song")
    parser.add_argument("--songs", type=int, default=12, help="at most so many of a group")
    parser.add_argument("--pairs", type=Path, help="inputs and masters whose fine structure is compared")
    parser.add_argument("--out", type=Path, help="a CSV file of all pairs")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.pairs:
        print(own_masters(arguments.pairs, arguments.seconds), flush=True)
    songs = []
    for group, paths in songs_by_group(arguments.music).items():
        step = max(len(paths) / arguments.songs, 1.0)
        for path in (paths[int(i * step)] for i in range(min(len(paths), arguments.songs))):
            songs.append(measured(path, group, arguments.seconds))
    songs = [song for song in songs if song.profile.is_usable]
    pairs = [compared(song, other) for song in songs for other in songs if other is not song]
    if arguments.out:
        with arguments.out.open("w", newline="") as file:
            csv.writer(file).writerows([Pair._fields, *pairs])
    print(summary(pairs))
    for pair in sorted(pairs, key=lambda pair: -pair.finished_db)[:20]:
        print(
            f"{pair.song} after {pair.reference}: likely {pair.same_song:.2f}, alike {pair.alike:.2f}, "
            f"{pair.finished_db:.2f} dB"
        )


def own_masters(folder: Path, seconds: float) -> str:
    """The range of the correlations of inputs and their masters."""
    names = [row["file"] for row in read_rows(folder / "manifest.csv")]
    sides = ([read(folder / side / n, seconds) for side in ("unmastered", "mastered")] for n in names)
    found = np.array(
        [structure_correlation(*(profile_of([side], RATE).fine_db for side in pair)) for pair in sides]
    )
    return f"{len(found)} inputs and their masters: least {found.min():.4f}, median {np.median(found):.4f}"


def measured(path: Path, group: str, seconds: float) -> Song:
    """A song's profile and fine structure, and the response of an equaliser drawn by its name."""
    name = f"{group}/{path.stem}"
    sections = random_equaliser(np.random.default_rng([ord(letter) for letter in name]))
    response_db = 20.0 * np.log10(np.abs(sosfreqz(sections, CENTRES_HZ, fs=RATE)[1]))
    audio = read(path, seconds)
    return Song(name, group, profile_of([audio], RATE), response_db)


def compared(song: Song, other: Song) -> Pair:
    """The finished song and the degraded one after another song."""
    degraded = replace(song.profile, levels_db=song.profile.levels_db + song.equaliser_db)
    finished_db, same_song = requested_curve(song.profile, other.profile)
    curve_db, _ = requested_curve(degraded, other.profile)
    before, after = (spread_db(x, song.profile) for x in (song.equaliser_db, song.equaliser_db + curve_db))
    return Pair(
        song.name,
        other.name,
        "same group" if song.group == other.group else "foreign",
        structure_correlation(song.profile.fine_db, other.profile.fine_db),
        same_song,
        spread_db(finished_db, song.profile),
        after - before,
    )


def requested_curve(song: Profile, reference: Profile) -> tuple[Samples, float]:
    """The curve that is requested, and how likely the reference is a version of the song."""
    found, share = (
        estimate(song, reference),
        same_song_share(structure_correlation(song.fine_db, reference.fine_db)),
    )
    if (
        share * spread_db(found.curve_db, song) < 0.1 * MOVES_DB
    ):  # fitting bands takes a hundred times as long
        likely = float(found.likeness[np.array(SCALES) <= SAME_SONG].sum())
        return share * found.curve_db, share * likely
    match = match_references(song, [(reference, 1.0)])
    return match.curve_db, match.same_song


def spread_db(curve_db: Samples, profile: Profile) -> float:
    """RMS of a curve less its mean, in the bands that the song fills."""
    return float(np.std(curve_db[profile.filled]))


def summary(pairs: list[Pair]) -> str:
    """One line for each kind of reference; pairs of one song under two names have their own."""
    lines = [
        "| reference | pairs | taken for a version | finished song: moved, mean, worst | "
        "behind an equaliser: better, worse, mean, worst |",
        "|---|--:|--:|--:|--:|",
    ]
    kinds = {pair: f"{pair.kind}, {'alike' if pair.alike >= ALIKE else 'unlike'}" for pair in pairs}
    for kind in sorted(set(kinds.values())):
        values = np.array([pair[3:] for pair in pairs if kinds[pair] == kind])
        _, same_song, finished, degraded = values.T
        lines.append(
            f"| {kind} | {len(values)} | {counted(same_song >= 0.5)} | "
            f"{counted(finished >= MOVES_DB)}, {finished.mean():.3f} dB, {finished.max():.2f} dB | "
            f"{counted(degraded <= -MOVES_DB)}, {counted(degraded >= MOVES_DB)}, "
            f"{degraded.mean():+.3f} dB, {degraded.max():+.2f} dB |"
        )
    return "\n".join(lines) + "\n"


def counted(which: np.ndarray) -> str:
    """A count with its share."""
    return f"{which.sum()} ({100.0 * which.mean():.2f} %)"


if __name__ == "__main__":
    main()
