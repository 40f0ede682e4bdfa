"""The whole path on audio: masters are rendered, pairs measured from them, guesses rendered and compared.

A subset: 20 pairs, one order of songs, one song of each package of the test in turn. A guess sounds by its curve
(linear phase), its width and a gain; MR-STFT and mel are those at the engineer's loudness. Matchering gets the
nearest training master as its reference.
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
from experiments.engineers.cache import Mix, Sound, mix_of, stereo_middle
from experiments.engineers.hearing import Float64s, centred
from experiments.engineers.mastering import master
from experiments.engineers.pairs import Pair
from experiments.engineers.policies import by_name, settings_of
from experiments.engineers.songs import in_turn, pool_songs, songs_of
from experiments.engineers.study import systems_for
from experiments.engineers.systems import closest

PAIRS, JUDGED = 20, 13
MATCHERING = "Matchering, nearest master"
ENGINEERS = ("constant", "target", "bass", "dynamics", "composite", outside.NAME)


def master_of(name: str, mix: Mix) -> tuple[Float64s, int]:
    """A master as audio (time, 2) and its rate, inconsistency included."""
    if name == outside.NAME:
        with tempfile.TemporaryDirectory() as folder:
            wet = Path(folder) / "master.wav"
            outside.master(mix.song.path, wet, outside.read(mix.song.path))
            return stereo_middle(wet)
    audio, rate = stereo_middle(mix.song.path)
    return master(audio, rate, settings_of(by_name(name), mix.heard, mix.song.key)), rate


def pair_from_audio(mix: Mix, audio: Float64s, rate: int) -> Pair:
    """What can be measured of a master; the truth is not known to a learner, so it is the same."""
    sound = Sound.of(audio, rate)
    curve = centred(sound.levels_db - mix.heard.levels_db)
    return Pair(mix, curve, curve, sound.level, sound.side_db - mix.side_db)


def rows_of(
    name: str, taught: Sequence[Mix], judged: Sequence[Mix], out: Path, peer: Path | None
) -> list[dict[str, Any]]:
    """A row for each system and judged song."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pairs = []
        for i, mix in enumerate(taught):
            audio, rate = master_of(name, mix)
            pairs.append(pair_from_audio(mix, audio, rate))
            if peer is not None:
                soundfile.write(folder / f"{i}.wav", audio, rate, subtype="FLOAT")
        systems = systems_for(name, {learned.NAME: learned.learner(out)})
        guesses = {system: learn(pairs) for system, learn in systems.items()}
        rows = []
        for mix in judged:
            audio, rate = stereo_middle(mix.song.path)
            wanted, _ = master_of(name, mix)
            found = {system: sounding(guess(mix), audio, rate) for system, guess in guesses.items()}
            if peer is not None:
                found[MATCHERING] = _matchering(folder, peer, audio, rate, closest(pairs, mix))
            for system, sound in found.items():
                row = {"engineer": name, "system": system, "package": mix.song.package, "song": mix.song.name}
                rows.append(row | asdict(distance(sound, wanted[: len(sound)], rate)))
    return rows


def _matchering(folder: Path, peer: Path, audio: Float64s, rate: int, nearest: int) -> Float64s:
    soundfile.write(folder / "mix.wav", audio, rate, subtype="FLOAT")
    match(peer, [Job(folder / "mix.wav", folder / f"{nearest}.wav", folder / "matched.wav")])
    sound, _ = stereo_middle(folder / "matched.wav")
    return (
        sound[: len(audio)]
        if len(sound) >= len(audio)
        else np.pad(sound, ((0, len(audio) - len(sound)), (0, 0)))
    )


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
    music: Path, out: Path, engineers: Sequence[str], peer: Path | None, told: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Rows of all engineers; those that OUT/rendered.csv holds already are kept.

    Args:
        music, out: as in the study.
        engineers: some of `ENGINEERS`.
        peer: an interpreter that has Matchering; None leaves it out.
        told: hears of progress.
    """
    songs, table = pool_songs(music), out / "rendered.csv"
    taught = [mix_of(song, out) for song in in_turn(songs_of(songs, "train"), 0)[:PAIRS]]
    judged = [mix_of(song, out) for song in in_turn(songs_of(songs, "test"), 0)[:JUDGED]]
    rows: list[dict[str, Any]] = [*read_rows(table)] if table.exists() else []
    for name in engineers:
        if name in {row["engineer"] for row in rows}:
            continue
        rows += rows_of(name, taught, judged, out, peer)
        write_rows(table, rows)
        told(f"{name}: rendered")
    return rows
