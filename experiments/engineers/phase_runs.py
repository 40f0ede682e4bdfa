"""Pairs of planted engineers, rendered from a folder of mixes, and nm-train's phases on them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from experiments.engineers import learned
from experiments.engineers.cache import mix_of, stereo_middle
from experiments.engineers.mastering import master
from experiments.engineers.moves import Band, Settings
from experiments.engineers.songs import Song
from neural_mastering.atomic import write_text

PHASES = ("1a", "1b", "1c", "2")
EPOCHS = (30, 15, 25, 12)
"""Ten steps each."""

TRAINING = (
    "data=paired",
    "data.segment_s=5",
    "data.batch_size=8",
    "data.num_workers=2",
    "data.check=false",
    "data.passes=5",
    "data.validation_fraction=0.2",
    "data.test_fraction=0",
    "validation_table=false",
    "callbacks.pictures=null",
    "callbacks.clips=null",
    "scheduler=cosine",
    "trainer.check_val_every_n_epoch=2",
    "loss.terms.mr_stft.term.term.fft_sizes=[4096,1024,256]",
)
RATES = {"1a": 0.002, "1b": 0.001, "1c": 0.002, "2": 0.001}


class Entry(NamedTuple):
    """A song of the folder.

    Attributes:
        part: "train" or "judge".
        song: whose path is the mix.
        settings: by engineer.
    """

    part: str
    song: Song
    settings: Mapping[str, Settings]


class Work(NamedTuple):
    """Where things are, how long to train, further arguments of nm-train."""

    out: Path
    trainer: str
    seconds: float
    epochs: Sequence[int]
    overrides: Sequence[str]


def entries_of(folder: Path) -> list[Entry]:
    """Read songs.json."""
    found = []
    for row in json.loads((folder / "songs.json").read_text("utf-8")):
        settings = {
            name: Settings(**{**plain, "bands": tuple(Band(*band) for band in plain["bands"])})
            for name, plain in row["settings"].items()
        }
        path = folder / "mixes" / f"{row['name']}.ogg"
        found.append(Entry(row["part"], Song(row["package"], row["name"], path), settings))
    return found


def side_of(work: Work, engineer: str, entry: Entry, mastered: bool) -> Path:
    """File of a mix or a master; `nm-train` reads the folder of part "train"."""
    folder = work.out / engineer / entry.part / ("mastered" if mastered else "unmastered")
    return folder / f"{entry.song.name}.wav"


def prepare(job: tuple[Work, Entry]) -> None:
    """Measure a mix, render and write its masters."""
    work, entry = job
    audio, rate = stereo_middle(entry.song.path, work.seconds)
    learned.features_of(mix_of(entry.song, work.out), work.out)
    for engineer, settings in entry.settings.items():
        for mastered in (False, True):
            file = side_of(work, engineer, entry, mastered)
            file.parent.mkdir(parents=True, exist_ok=True)
            sound = master(audio, rate, settings) if mastered else audio
            soundfile.write(file, sound.astype(np.float32), rate, subtype="FLOAT")


def train(work: Work, engineer: str) -> dict[str, float]:
    """Run the phases one after the other, each from the one before; seconds of each. What is done is kept."""
    seconds, before = {}, None
    for phase, epochs in zip(PHASES, work.epochs, strict=True):
        run, kept = work.out / engineer / phase, work.out / engineer / f"{phase}.seconds"
        if kept.is_file():
            seconds[phase], before = float(kept.read_text("utf-8")), run
            continue
        overrides = [
            f"+phase={'2_full' if phase == '2' else phase}",
            f"hydra.run.dir='{run}'",
            f"data.root='{work.out / engineer / 'train'}'",
            f"data.cache_dir='{work.out / engineer / 'cache'}'",
            f"trainer={work.trainer}",
            f"trainer.max_epochs={epochs}",
            f"optimizer.lr={RATES[phase]}",
            *TRAINING,
            *work.overrides,
        ]
        if phase == "2":  # its gates are those of 1C already
            overrides += [
                f"{name}=0" for name in ("model.eq_head.open_steps", "loss.terms.gates.delay_steps")
            ]
            overrides.append("loss.terms.gates.ramp_steps=1")
        if before is not None:
            overrides.append(f"init_from='{before}'")
        started = time.perf_counter()
        line = [sys.executable, "-m", "neural_mastering.cli.train", *overrides]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        write_text(work.out / engineer / f"{phase}.log", done.stdout + done.stderr)
        if done.returncode:
            raise SystemExit(f"failed: {' '.join(line)}\n{(done.stdout + done.stderr)[-3000:]}")
        seconds[phase], before = time.perf_counter() - started, run
        write_text(kept, f"{seconds[phase]:.1f}\n")
        sys.stdout.write(f"{engineer}: phase {phase}, {seconds[phase]:.0f} s\n")
        sys.stdout.flush()
    return seconds
