"""Plant mistakes in songs as audio, let systems undo them, measure what is left."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from experiments.common.mistakes import CONDITIONS, Condition, draw, rms_of, with_mistake
from experiments.mistakes_undone.rows import Row
from experiments.mistakes_undone.songs import Song
from experiments.mistakes_undone.spectra import Spectra, excerpt, levels_of, profile_of_samples
from experiments.mistakes_undone.systems import Case, System, chosen_systems, matters
from neural_mastering.dsp.third_octaves import BROAD, Float64s
from neural_mastering.metering.measure import measure
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.tone.analysis import analyse_tone


class Task(NamedTuple):
    """A song and what is known of it already, by (condition, system)."""

    song: Song
    known: frozenset[tuple[str, str]]


class Setting(NamedTuple):
    """What holds for all songs."""

    training: Spectra | None
    systems: tuple[str, ...]
    seconds: float
    seed: int
    conditions: tuple[Condition, ...] = CONDITIONS


def run_all(tasks: Sequence[Task], setting: Setting, processes: int) -> Iterator[list[Row]]:
    """Rows of each song as it is done, in the order of the songs."""
    context = multiprocessing.get_context("spawn")  # torch does not survive a fork
    with context.Pool(processes, _start, (setting,)) as pool:
        yield from pool.imap(_rows, tasks)


def song_rows(task: Task, setting: Setting, systems: Mapping[str, System]) -> list[Row]:
    """Every condition and every system that is not known yet."""
    song, found = task.song, []
    wanted_of = {
        condition: [
            name for name in systems if (condition.name, name) not in task.known and matters(name, condition)
        ]
        for condition in setting.conditions
    }
    if not any(wanted_of.values()):
        return []
    samples, rate = excerpt(song.path, setting.seconds)
    finished = profile_of_samples(samples, rate)
    if not finished.is_usable:
        return []
    bands = BROAD & finished.filled
    for condition, wanted in wanted_of.items():
        if not wanted:
            continue
        mistake = draw(condition, setting.seed, song.package, song.name)
        with tempfile.TemporaryDirectory() as folder, ExitStack() as resources:
            path = Path(folder) / "song.wav"
            soundfile.write(path, with_mistake(samples, rate, mistake), rate, subtype="FLOAT")
            case = case_of(path, Path(folder), resources)
            before = case.profile.levels_db - finished.levels_db
            for name in wanted:
                move = rendered_move(case, systems[name])
                found.append(
                    Row(
                        song.package,
                        song.name,
                        condition.name,
                        name,
                        rms_of(before, bands),
                        rms_of(before + move, bands),
                        rms_of(move, bands),
                    )
                )
    return found


def case_of(path: Path, scratch: Path, resources: ExitStack) -> Case:
    """A file, measured as `nm-master` does it."""
    song = measure(path, scratch, resources)
    return Case(song, analyse_tone(song))


def rendered_move(case: Case, system: System) -> Float64s:
    """(third,) what the system does to the song's spectrum, measured on the rendered audio before delivery."""
    song = case.song
    stages = build_stages(system(case), song.sample_rate, song.channels)
    if not stages:
        return np.zeros(len(case.profile.levels_db))
    after = levels_of(run_stages(stages, song.blocks()), song.sample_rate, song.channels)
    return after - (case.profile.levels_db + case.profile.lufs)


_shared: dict[str, tuple[Setting, Mapping[str, System]]] = {}


def _start(setting: Setting) -> None:
    import torch  # in the process that uses it

    torch.set_num_threads(1)
    _shared["run"] = (setting, chosen_systems(setting.systems, setting.training))


def _rows(task: Task) -> list[Row]:
    setting, systems = _shared["run"]
    try:
        return song_rows(task, setting, systems)
    except Exception as error:
        print(f"{task.song.package}/{task.song.name}: {error!r}", file=sys.stderr)
        raise
