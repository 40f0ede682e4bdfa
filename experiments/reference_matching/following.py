"""How near does a song come to another song's sound, and what does that cost? Ours against Matchering.

    python -m experiments.reference_matching.following MUSIC_FOLDER [--peer PYTHON] [--out FOLDER]

MUSIC_FOLDER holds one folder a group (album, game) with finished songs in it, as WAV or FLAC at 44.1 kHz. Songs of
the groups that no weight and no constant was chosen on are paired with songs of other such groups. PYTHON is an
interpreter with Matchering 2.0.6 in an environment of its own. Nothing is delivered: no loudness, no limiter of
ours; every number but those of "levels" leaves level out.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
import torch
import yaml

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.song_folders import songs_by_group
from experiments.reference_matching.content import Crests, curve_of, jaggedness_db
from experiments.reference_matching.excerpts import RATE, Samples, read
from experiments.reference_matching.following_tables import COLUMNS, Row, medians, summary
from experiments.reference_matching.matchering import match_files
from neural_mastering.controls import ChainControls
from neural_mastering.dsp.third_octaves import BROAD
from neural_mastering.metering.fine_structure import structure_correlation
from neural_mastering.rendering.reference.decision import ReferenceDecision, follow_references
from neural_mastering.rendering.reference.distances import (
    levels_distance_db,
    tone_distance_db,
    width_distance_db,
)
from neural_mastering.rendering.reference.measured import MeasuredReference, SongMeasures, measures_of
from neural_mastering.rendering.reference.shares import EXACT, MatchShares, limit_db
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages

SOURCES = Path(__file__).parents[1] / "common" / "sources.yaml"
SHARES: dict[str, MatchShares] = {"default (0.6)": MatchShares(), "in full (1)": EXACT}
PEER = "Matchering"
WHOLE_EVERY = 4
"""Compressor and width, which take the most time, are measured on every fourth pair."""

OF_THE_WHOLE = ("tone_all_db", "width_db", "levels_db")
AT_ONCE = 10
"""Pairs that one process of Matchering gets."""

Pair = tuple[Path, Path]


def main() -> None:
    """Run the pairs that are not in the table yet, then print the summary."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path, help="a folder with one folder a group")
    parser.add_argument("--pairs", type=int, default=200, help="how many")
    parser.add_argument("--songs", type=int, default=12, help="at most so many of a group, evenly")
    parser.add_argument("--seconds", type=float, default=20.0, help="this much from the middle of each song")
    parser.add_argument(
        "--groups", nargs="+", help="folders; by default the list `test` of the bundled model"
    )
    parser.add_argument("--only-peer", action="store_true", help="leave our own rows out")
    parser.add_argument(
        "--only-whole", action="store_true", help="only the pairs whose compressor and width are rendered"
    )
    parser.add_argument("--peer", type=Path, help="a Python interpreter that has Matchering 2.0.6")
    parser.add_argument("--out", type=Path, default=Path("runs/reference_following"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    groups = arguments.groups or yaml.safe_load(SOURCES.read_text())["test"]
    songs = {
        name: evenly([song for song in found if is_stereo(song)], arguments.songs)
        for name, found in songs_by_group(arguments.music).items()
        if name in groups
    }
    pairs = foreign_pairs({name: found for name, found in songs.items() if found}, arguments.pairs)
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = arguments.out / "rows.csv"
    rows: list[Row] = list(read_rows(table)) if table.exists() else []  # pyright: ignore[reportAssignmentType]
    done = {(row["song"], row["reference"]) for row in rows}
    todo = [(i, *pair) for i, pair in enumerate(pairs) if tuple(map(name_of, pair)) not in done]
    if arguments.only_whole:
        todo = [pair for pair in todo if pair[0] % WHOLE_EVERY == 0]
    for start in range(0, len(todo), AT_ONCE):
        some = todo[start : start + AT_ONCE]
        files = [(song, reference) for _, song, reference in some]
        theirs: list[Samples | None] = [None] * len(some)
        if arguments.peer:
            theirs = list(match_files(arguments.peer, files, arguments.seconds))
        for (i, song, reference), result in zip(some, theirs, strict=True):
            ours = {} if arguments.only_peer else None
            rows += rows_of(song, reference, arguments.seconds, result, i % WHOLE_EVERY == 0, ours)
        write_rows(table, rows)
    report = summary(rows) + "\n" + medians(rows)
    (arguments.out / "table.md").write_text(report)
    print(report)


def evenly(songs: list[Path], count: int) -> list[Path]:
    """At most so many, spread over the list."""
    count = min(count, len(songs))
    return [songs[round(i * len(songs) / count)] for i in range(count)]


def is_stereo(song: Path) -> bool:
    """Whether a song has two channels at the rate of the study."""
    info = soundfile.info(song)
    return info.channels == 2 and info.samplerate == RATE


def foreign_pairs(groups: dict[str, list[Path]], count: int) -> list[Pair]:
    """Song and reference of another group; every song is used in turn before one is used again.

    Raises:
        SystemExit: fewer than two groups.
    """
    if len(groups) < 2:
        sys.exit("songs of two groups or more are needed")
    rng = np.random.default_rng(0)
    songs = [song for found in groups.values() for song in found]
    pairs: list[Pair] = []
    while len(pairs) < count:
        for i in rng.permutation(len(songs)):
            others = [song for song in songs if song.parent != songs[i].parent]
            pair = (songs[i], others[rng.integers(len(others))])
            if pair not in pairs:
                pairs.append(pair)
    return pairs[:count]


def rows_of(
    song: Path,
    reference: Path,
    seconds: float,
    theirs: Samples | None,
    is_whole: bool = True,
    ours: Mapping[str, MatchShares] | None = None,
) -> list[Row]:
    """One row a system.

    Args:
        song, reference: files.
        seconds: from the middle of each.
        theirs: Matchering's result, None without it.
        is_whole: render compressor and width, too; the other columns are behind the equaliser alone.
        ours: shares of the way, by name; None for all.
    """
    audio, before, wanted = read(song, seconds), measures(song, seconds), measures(reference, seconds)
    crests, named = Crests(audio), {"song": name_of(song), "reference": name_of(reference)}
    rows: list[Row] = []
    known = before.broad_profile.filled & wanted.broad_profile.filled

    def row(system: str, toned: Samples, result: Samples, bands: float, perfect_db: float) -> Row:
        tone = measures_of([toned], RATE, len(toned))
        after = tone if result is toned else measures_of([result], RATE, len(result))
        curve_db = curve_of(before.profile.levels_db, tone.profile.levels_db, known)
        numbers = (
            tone_distance_db(before, wanted, known),
            tone_distance_db(tone, wanted, known),
            perfect_db,
            tone_distance_db(after, wanted, known),
            float(np.abs(curve_db).max()),
            jaggedness_db(curve_db),
            bands,
            structure_correlation(before.profile.fine_db, tone.profile.fine_db),
            crests.largest_change_db(toned),
            width_distance_db(before.movement.side_db, wanted.movement.side_db),
            width_distance_db(after.movement.side_db, wanted.movement.side_db),
            levels_distance_db(before.movement.levels_db, wanted.movement.levels_db),
            levels_distance_db(after.movement.levels_db, wanted.movement.levels_db),
        )
        return {**named, "system": system, **dict(zip(COLUMNS, numbers, strict=True))}

    measured = [MeasuredReference(reference, 1.0, True, wanted)]
    for system, shares in (SHARES if ours is None else ours).items():
        alone = follow_references(before, measured, [audio], replace(shares, width=0.0, dynamics=0.0))
        toned = rendered(alone, audio)
        if is_whole:
            whole = rendered(follow_references(before, measured, [audio], shares), audio)
            rows.append(row(system, toned, whole, float(len(alone.bands)), perfect(alone)))
        else:
            found = row(system, toned, toned, float(len(alone.bands)), perfect(alone))
            rows.append(found | dict.fromkeys(OF_THE_WHOLE, float("nan")))
    if theirs is not None:
        rows.append(row(PEER, theirs, theirs, float("nan"), float("nan")))
    return rows


def perfect(decision: ReferenceDecision) -> float:
    """Distance that a perfect follow by the share would leave, cut off hard at the limits."""
    used, share = decision.known & BROAD, decision.shares.tone
    wanted_db = decision.difference_db[used]
    return float((wanted_db - (share * wanted_db).clip(-limit_db(share), limit_db(share))).std())


@lru_cache(maxsize=256)
def measures(song: Path, seconds: float) -> SongMeasures:
    """What an excerpt measures."""
    audio = read(song, seconds)
    return measures_of([audio], RATE, len(audio))


def rendered(decision: ReferenceDecision, audio: Samples) -> Samples:
    """A song behind the chain."""
    return through(ChainControls(eq=decision.bands, stages=decision.stages), audio)


def through(controls: ChainControls, audio: Samples) -> Samples:
    """A song through a chain."""
    stages = build_stages(controls, RATE, len(audio))
    return np.concatenate(list(run_stages(stages, [audio])), axis=1) if stages else audio


def name_of(song: Path) -> str:
    """Group and title."""
    return f"{song.parent.name}/{song.stem}"


if __name__ == "__main__":
    main()
