"""The same mistakes, given to Matchering with the average of finished songs as reference and to libsonare.

    python -m experiments.mistakes_undone.peers MUSIC OUT --matchering PYTHON --sonare PYTHON

Each PYTHON is an interpreter that has the package. Both are slow, so that they get some songs of each package (the
first by a hash of their names) and some of the mistakes. OUT/peers.csv has their rows; OUT/peers.md compares them
with the systems of OUT/songs.csv on the same songs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from experiments.common import matchering
from experiments.common.command_line import parser_of
from experiments.common.mistakes import FINISHED, Condition, draw, rms_of, with_mistake
from experiments.common.peers import run_peer
from experiments.mistakes_undone.rows import Row, read, write
from experiments.mistakes_undone.songs import TEST_SONGS, Song, chosen, pool_songs
from experiments.mistakes_undone.spectra import excerpt, levels_of_file, profile_of_samples
from experiments.mistakes_undone.tables import finished_table, mistakes_table
from neural_mastering.dsp.third_octaves import BROAD
from neural_mastering.reporting.table import markdown_table
from neural_mastering.units import db_to_gain

MISTAKES = (Condition("random", 2.0), Condition("random", 4.0), Condition("dull", 3.2), FINISHED)
REFERENCE_SECONDS, REFERENCE_LUFS = 10.0, -16.0
ASSISTANT, PRESETS = "assistant", ("gameOst",)
"""The assistant gave the chain of the preset "pop" for the songs that were tried; "classical" moved 0.02 dB."""

SONARE = """
import sys, numpy, soundfile, libsonare
for line in sys.stdin:
    source, output = line.rstrip("\\n").split("\\t")
    preset = output.split(".")[-2]
    audio, rate = soundfile.read(source, dtype="float32", always_2d=True)
    left, right = audio[:, 0].copy(), audio[:, 1].copy()
    if preset == "assistant":
        chain = libsonare.mastering_assistant_suggest_chain_stereo(left, right, rate)
        done = libsonare.master_audio_stereo(left, right, rate, "pop", chain)
    else:
        done = libsonare.master_audio_stereo(left, right, rate, preset)
    sides = numpy.stack([done.left, done.right], axis=1)
    soundfile.write(output, sides, done.sample_rate, subtype="FLOAT")
"""

Peer = Callable[[Sequence[Path], Path], dict[str, list[Path]]]


class Planted(NamedTuple):
    """A song with a mistake, written to a file."""

    song: Song
    condition: Condition
    path: Path


def main() -> None:
    """Write the songs, let the peers master them, measure, print the table."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--matchering", type=Path, default=None, help="interpreter with matchering 2.0.6")
    parser.add_argument("--sonare", type=Path, default=None, help="interpreter with libsonare")
    parser.add_argument("--test-songs", type=Path, default=TEST_SONGS)
    parser.add_argument("--songs", type=int, default=2, help="of each package")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=16)
    arguments = parser.parse_args()
    test, others = pool_songs(arguments.music, arguments.test_songs)
    table = arguments.out / "peers.csv"
    rows = read(table)
    with tempfile.TemporaryDirectory(dir=arguments.out) as name:
        folder = Path(name)
        peers: list[Peer] = []
        if arguments.matchering:
            reference = average_reference(others, folder / "reference.wav")
            peers.append(lambda paths, into: by_matchering(arguments.matchering, reference, paths, into))
        if arguments.sonare:
            peers.append(lambda paths, into: by_sonare(arguments.sonare, paths, into))
        for song in chosen(test, arguments.songs):
            with tempfile.TemporaryDirectory(dir=folder) as work:
                found = compared(song, peers, Path(work), arguments.seconds, arguments.seed)
            fresh = {row[:4] for row in found}
            rows = [row for row in rows if row[:4] not in fresh] + found
            write(table, rows)
            print(song.package, song.name, flush=True)
    peers_of = {row[:3] for row in rows}
    rows = [row for row in read(arguments.out / "songs.csv") if row[:3] in peers_of] + rows
    text = markdown_table(mistakes_table(rows)) + "\n" + markdown_table(finished_table(rows))
    (arguments.out / "peers.md").write_text(text, encoding="utf-8")
    print(text)


def average_reference(songs: Sequence[Song], path: Path) -> Path:
    """10 s of one song of each package in a row, each at −16 LUFS: the average that Matchering matches."""
    pieces = []
    for song in chosen(songs, 1):
        samples, rate = excerpt(song.path, REFERENCE_SECONDS)
        profile = profile_of_samples(samples, rate)
        if profile.is_usable and rate == 44_100:
            pieces.append(samples * db_to_gain(REFERENCE_LUFS - profile.lufs))
    together = np.concatenate(pieces)
    soundfile.write(path, 0.98 * together / np.abs(together).max(), 44_100, subtype="FLOAT")
    return path


def compared(song: Song, peers: Sequence[Peer], work: Path, seconds: float, seed: int) -> list[Row]:
    """Rows of all peers for one song with each of the mistakes."""
    samples, rate = excerpt(song.path, seconds)
    finished = profile_of_samples(samples, rate)
    bands = BROAD & finished.filled
    planted = []
    for i, condition in enumerate(MISTAKES):
        path = work / f"{i}.wav"
        mistake = draw(condition, seed, song.package, song.name)
        soundfile.write(path, with_mistake(samples, rate, mistake), rate, subtype="FLOAT")
        planted.append(Planted(song, condition, path))
    rows = []
    for peer in peers:
        for system, outputs in peer([each.path for each in planted], work).items():
            for each, output in zip(planted, outputs, strict=True):
                source_db, output_db = levels_of_file(each.path), levels_of_file(output)
                numbers = (
                    rms_of(source_db - finished.levels_db, bands),
                    rms_of(output_db - finished.levels_db, bands),
                    rms_of(output_db - source_db, bands),
                )
                rows.append(Row(song.package, song.name, each.condition.name, system, *numbers))
    return rows


def by_matchering(python: Path, reference: Path, paths: Sequence[Path], work: Path) -> dict[str, list[Path]]:
    """Masters after the reference."""
    outputs = [work / f"{path.stem}.matchering.wav" for path in paths]
    matchering.match(
        python, [matchering.Job(p, reference, output) for p, output in zip(paths, outputs, strict=True)]
    )
    return {"Matchering": outputs}


def by_sonare(python: Path, paths: Sequence[Path], work: Path) -> dict[str, list[Path]]:
    """Masters by presets and by the chain that its assistant suggests for the song."""
    outputs = {
        preset: [work / f"{path.stem}.{preset}.wav" for path in paths] for preset in (ASSISTANT, *PRESETS)
    }
    run_peer(
        "libsonare",
        python,
        SONARE,
        [(path, output) for files in outputs.values() for path, output in zip(paths, files, strict=True)],
    )
    return {f"libsonare {preset}": files for preset, files in outputs.items()}


if __name__ == "__main__":
    main()
