"""What guesses sound like, beside the engineer's masters: a subset of the test.

20 pairs, one order of songs, one song of each package of the test in turn. A guess sounds by its curve (linear
phase), its width and a gain; MR-STFT and mel are those at the engineer's loudness, of the middle of the song.
Matchering gets the nearest training master as its reference. At matched loudness a gain alone is doing nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from experiments.common.bootstrap import mean_interval
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.matchering import Job, match
from experiments.engineers import learned, outside
from experiments.engineers.audio import distance, sounding
from experiments.engineers.cache import Mix, mix_of, stereo_middle
from experiments.engineers.hearing import Float64s
from experiments.engineers.mastering import master
from experiments.engineers.pairs import pair_of
from experiments.engineers.policies import by_name, settings_of
from experiments.engineers.songs import in_turn, pool_songs
from experiments.engineers.study import bench, systems_for
from experiments.engineers.systems import closest

PAIRS, JUDGED = 20, 10
COMPARED_S = 20.0
"""Of the middle of each master."""

MATCHERING = "Matchering, nearest master"
ENGINEERS = ("composite", outside.NAME, "bass", "dynamics", "target", "constant")


def master_of(name: str, mix: Mix) -> tuple[Float64s, int]:
    """A master as audio (time, 2) and its rate, inconsistency included."""
    if name == outside.NAME:
        with tempfile.TemporaryDirectory() as folder:
            wet = Path(folder) / "master.wav"
            outside.master(mix.song.path, wet, outside.read(mix.song.path))
            return stereo_middle(wet)
    audio, rate = stereo_middle(mix.song.path)
    return master(audio, rate, settings_of(by_name(name), mix.heard, mix.song.key)), rate


def rows_of(
    name: str, taught: Sequence[Mix], judged: Sequence[Mix], out: Path, peer: Path | None
) -> list[dict[str, Any]]:
    """A row for each system and judged song."""
    pairs = [pair_of(name, mix, out) for mix in taught]
    systems = systems_for(name, out, {learned.NAME: learned.learner(out)})
    guesses = {system: learn(pairs) for system, learn in systems.items() if system != "loudness only"}
    rows = []
    for mix in judged:
        audio, rate = stereo_middle(mix.song.path)
        wanted, _ = master_of(name, mix)
        found = {system: sounding(guess(mix), audio, rate) for system, guess in guesses.items()}
        if peer is not None:
            reference = master_of(name, taught[closest(pairs, mix)])
            found[MATCHERING] = _matchering(peer, (audio, rate), reference)
        for system, sound in found.items():
            row = {"engineer": name, "system": system, "package": mix.song.package, "song": mix.song.name}
            length = min(len(sound), len(wanted))
            one, other = (_middle(each[:length], rate) for each in (sound, wanted))
            rows.append(row | asdict(distance(one, other, rate)))
    return rows


def _middle(audio: Float64s, rate: int) -> Float64s:
    start = max(len(audio) - round(COMPARED_S * rate), 0) // 2
    return audio[start : start + round(COMPARED_S * rate)]


def _matchering(peer: Path, mix: tuple[Float64s, int], reference: tuple[Float64s, int]) -> Float64s:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, (audio, rate) in (("mix", mix), ("reference", reference)):
            soundfile.write(folder / f"{name}.wav", audio, rate, subtype="FLOAT")
        match(peer, [Job(folder / "mix.wav", folder / "reference.wav", folder / "matched.wav")])
        sound, _ = stereo_middle(folder / "matched.wav")
    missing = max(len(mix[0]) - len(sound), 0)
    return np.pad(sound, ((0, missing), (0, 0)))[: len(mix[0])]


def table_of(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """A line for each engineer and system: distances as parts of doing nothing, with 95 % intervals over songs."""
    lines = []
    for engineer in dict.fromkeys(row["engineer"] for row in rows):
        own = [row for row in rows if row["engineer"] == engineer]
        nothing = {row["song"]: row for row in own if row["system"] == "identity"}
        for system in dict.fromkeys(row["system"] for row in own):
            these = [row for row in own if row["system"] == system]
            line = {"engineer": engineer, "system": system, "songs": str(len(these))}
            for name in ("mr_stft", "mel_db", "tone_db"):
                ratio = np.array([float(r[name]) / max(float(nothing[r["song"]][name]), 1e-6) for r in these])
                low, high = mean_interval(ratio)
                line[f"{name}, of identity"] = f"{ratio.mean():.2f} [{low:.2f}, {high:.2f}]"
            for name in ("loudness_lu", "plr_db", "lra_lu", "side_db"):
                line[name] = f"{np.mean([float(r[name]) for r in these]):.2f}"
            lines.append(line)
    return lines


def run(
    music: Path,
    out: Path,
    engineers: Sequence[str],
    peer: Path | None,
    told: Callable[[str], None],
    most: int | None = None,
) -> list[dict[str, Any]]:
    """Rows of all engineers; those that OUT/rendered.csv holds already are kept.

    Args:
        music, out: as in the study.
        engineers: some of `ENGINEERS`.
        peer: an interpreter that has Matchering; None leaves it out.
        told: hears of progress.
        most: how many songs the pairs are drawn from, as in `study.bench`.
    """
    songs, table = pool_songs(music), out / "rendered.csv"
    given = bench(songs, "test", out, most)
    taught = [mix_of(song, out) for song in in_turn(given.training, 0)[:PAIRS]]
    judged = [mix_of(song, out) for song in given.judged[:JUDGED]]
    rows: list[dict[str, Any]] = [*read_rows(table)] if table.exists() else []
    for name in engineers:
        if name in {row["engineer"] for row in rows}:
            continue
        rows += rows_of(name, taught, judged, out, peer)
        write_rows(table, rows)
        told(f"{name}: rendered")
    return rows
