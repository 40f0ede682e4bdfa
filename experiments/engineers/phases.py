"""Which phase of nm-train is worth its cost for which engineer? 1A, 1B, 1C and 2 on 20 pairs.

    python -m experiments.engineers.phases FOLDER OUT       on a GPU
    python -m experiments.engineers.phases FOLDER OUT --trainer cpu --epochs 1 1 1 1 --override trainer.max_steps=2

FOLDER is what `experiments.engineers.pack` wrote. Masters are rendered by our own chain; each engineer is trained
in a process of its own, one phase after the other, and judged on songs of other packages. OUT/phases.md and
phases.csv hold the results.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from experiments.common.bootstrap import mean_interval
from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.engineers import learned
from experiments.engineers.audio import Distance, distance, sounding
from experiments.engineers.cache import Mix, Sound, mix_of, stereo_middle
from experiments.engineers.hearing import Float64s, centred
from experiments.engineers.mastering import master
from experiments.engineers.moves import Band, Settings
from experiments.engineers.pairs import Pair
from experiments.engineers.songs import Song
from experiments.engineers.systems import System, average_eq, identity, nearest_pair
from neural_mastering.atomic import write_text
from neural_mastering.reporting.table import markdown_table

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
    # tone, dynamics and width at the target's loudness, the level by its own term
    "loss/term@loss.terms.mr_stft=multi_resolution_stft_matched",
    "loss/term@loss.terms.a_weighted=a_weighted_matched",
    "loss.terms.mr_stft.term.term.fft_sizes=[4096,1024,256]",
)
RATES = {"1a": 0.002, "1b": 0.001, "1c": 0.002, "2": 0.001}
JUDGED_FROM_STEP = 80
"""Phase 1C: the bands are held open so long, a third of its run."""


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
    """Run the phases one after the other, each from the one before; seconds of each."""
    seconds, before = {}, None
    for phase, epochs in zip(PHASES, work.epochs, strict=True):
        run = work.out / engineer / phase
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
        if phase in ("1c", "2"):
            held = JUDGED_FROM_STEP if phase == "1c" else 0
            overrides += [f"model.eq_head.open_steps={held}", f"loss.terms.gates.delay_steps={held}"]
            overrides += [f"loss.terms.gates.ramp_steps={held // 2 + 1}"]
        if before is not None:
            overrides.append(f"init_from='{before}'")
        started = time.perf_counter()
        line = [sys.executable, "-m", "neural_mastering.cli.train", *overrides]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        write_text(work.out / engineer / f"{phase}.log", done.stdout + done.stderr)
        if done.returncode:
            raise SystemExit(f"failed: {' '.join(line)}\n{(done.stdout + done.stderr)[-3000:]}")
        seconds[phase], before = time.perf_counter() - started, run
        sys.stdout.write(f"{engineer}: phase {phase}, {seconds[phase]:.0f} s\n")
        sys.stdout.flush()
    return seconds


def judge(job: tuple[Work, str, Sequence[Entry], str]) -> list[dict[str, Any]]:
    """Rows of one system over the songs that are judged."""
    work, engineer, entries, system = job
    import torch  # in the process that uses it

    torch.set_num_threads(1)
    render = (
        _phase(work, engineer, system) if system in PHASES else _guessing(work, engineer, entries, system)
    )
    rows = []
    for entry in entries:
        if entry.part == "judge":
            audio, rate = _read(side_of(work, engineer, entry, mastered=False))
            wanted, _ = _read(side_of(work, engineer, entry, mastered=True))
            found, about = render(entry, audio, rate)
            rows.append(
                {"engineer": engineer, "system": system, "song": entry.song.name}
                | asdict(distance(found, wanted, rate))
                | about
            )
    return rows


def _guessing(work: Work, engineer: str, entries: Sequence[Entry], system: str) -> Any:
    systems: dict[str, System] = {
        "identity": identity,
        "average EQ": average_eq,
        "nearest pair": nearest_pair,
        learned.NAME: learned.learner(work.out),
    }
    pairs = [_pair(work, engineer, entry) for entry in entries if entry.part == "train"]
    guess = systems[system](pairs)

    def render(entry: Entry, audio: Float64s, rate: int) -> tuple[Float64s, dict[str, Any]]:
        return sounding(guess(mix_of(entry.song, work.out)), audio, rate), {}

    return render


def _pair(work: Work, engineer: str, entry: Entry) -> Pair:
    """As `pairs.pair_of`, measured on the audio."""
    mix: Mix = mix_of(entry.song, work.out)
    sound = Sound.of(*_read(side_of(work, engineer, entry, mastered=True)))
    curve = centred(sound.levels_db - mix.heard.levels_db)
    return Pair(mix, curve, curve, sound.level, sound.side_db - mix.side_db)


def _phase(work: Work, engineer: str, phase: str) -> Any:
    import torch  # only where a model is rendered

    from neural_mastering.dsp.energy import energy_share  # reads torch
    from neural_mastering.evaluation.trained_model import TrainedModel, render_controls  # reads torch
    from neural_mastering.models import load_model  # reads torch

    system = TrainedModel(phase, phase, load_model(work.out / engineer / phase))

    def render(_: Entry, audio: Float64s, rate: int) -> tuple[Float64s, dict[str, Any]]:
        sound = torch.from_numpy(np.ascontiguousarray(audio.T, dtype=np.float32))[None]
        tone = system.listen(sound)
        wet, dry = render_controls(tone, sound)
        share = float("nan") if dry is None else 10.0 * np.log10(float(energy_share(wet - dry, wet)) + 1e-12)
        bands = int((np.abs(tone.controls.eq.gain_db) > 0.05).sum())
        return wet[0].numpy().T.astype(np.float64), {"bands": bands, "residual_db": share}

    return render


def _read(file: Path) -> tuple[Float64s, int]:
    return stereo_middle(file)


def table_of(
    rows: Sequence[dict[str, Any]], seconds: Mapping[str, Mapping[str, float]]
) -> list[dict[str, str]]:
    """A line for each engineer and system: means over songs, MR-STFT and mel as parts of doing nothing."""
    lines = []
    columns = {name: name for name in Distance.__dataclass_fields__}
    for engineer in dict.fromkeys(row["engineer"] for row in rows):
        nothing = {r["song"]: r for r in rows if r["engineer"] == engineer and r["system"] == "identity"}
        for system in dict.fromkeys(row["system"] for row in rows if row["engineer"] == engineer):
            own = [r for r in rows if r["engineer"] == engineer and r["system"] == system]
            line = {"engineer": engineer, "system": system}
            for name in ("mr_stft", "mel_db", "tone_db"):
                ratio = np.array([r[name] / max(nothing[r["song"]][name], 1e-6) for r in own])
                low, high = mean_interval(ratio)
                line[f"{name}, of identity"] = f"{ratio.mean():.2f} [{low:.2f}, {high:.2f}]"
            for name in ("loudness_lu", "plr_db", "lra_lu", "side_db"):
                line[columns[name]] = f"{np.mean([r[name] for r in own]):.2f}"
            bands = [r["bands"] for r in own if "bands" in r]
            line["bands"] = f"{np.mean(bands):.1f}" if bands else ""
            share = [r["residual_db"] for r in own if np.isfinite(r.get("residual_db", np.nan))]
            line["residual, dB"] = f"{np.mean(share):.0f}" if share else ""
            line["training, s"] = f"{seconds[engineer][system]:.0f}" if system in seconds[engineer] else ""
            lines.append(line)
    return lines


def main() -> None:
    """Render, train, judge, write."""
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--trainer", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--seconds", type=float, default=25.0, help="of each song")
    parser.add_argument("--epochs", type=int, nargs=4, default=EPOCHS, help="of 1A, 1B, 1C, 2")
    parser.add_argument("--engineers", nargs="+", default=None)
    parser.add_argument("--processes", type=int, default=14)
    parser.add_argument("--override", nargs="+", default=[], help="further arguments of nm-train")
    arguments = parser.parse_args()
    started = time.perf_counter()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    work = Work(out, arguments.trainer, arguments.seconds, arguments.epochs, arguments.override)
    entries = entries_of(arguments.folder.resolve())
    engineers = arguments.engineers or list(entries[0].settings)
    entries = [e._replace(settings={name: e.settings[name] for name in engineers}) for e in entries]
    prepare((work, entries[0]))  # compiles and caches the kernels for all processes
    context = multiprocessing.get_context("spawn")  # torch does not survive a fork
    with context.Pool(arguments.processes) as pool:
        pool.map(prepare, [(work, entry) for entry in entries[1:]], chunksize=1)
        sys.stdout.write(f"pairs rendered after {time.perf_counter() - started:.0f} s\n")
        sys.stdout.flush()
        with ThreadPoolExecutor(len(engineers)) as threads:
            seconds = dict(zip(engineers, threads.map(lambda e: train(work, e), engineers), strict=True))
        systems = ("identity", "average EQ", "nearest pair", learned.NAME, *PHASES)
        jobs = [(work, engineer, entries, system) for engineer in engineers for system in systems]
        rows = [row for found in pool.map(judge, jobs, chunksize=1) for row in found]
    write_rows(out / "phases.csv", rows)
    text = markdown_table(table_of(rows, seconds))
    write_text(out / "phases.md", text)
    sys.stdout.write(f"{text}\n{time.perf_counter() - started:.0f} s in all\n")


if __name__ == "__main__":
    main()
