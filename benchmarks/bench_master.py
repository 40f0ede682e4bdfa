"""Mastering a file: whole processes, start-up included, against Matchering and libsonare; lengths and albums.

    python -m benchmarks.bench_master [ROUNDS] [contenders chain lengths albums start]

glibc keeps freed memory on both sides (`MALLOC`), since one of two programs would gain from it otherwise. The peers
may live in an environment of their own: PEERS_PYTHON names its interpreter.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
import torch

from benchmarks._timing import Row, as_table
from neural_mastering.controls import Bands, ChainControls, EqBand, save_controls
from neural_mastering.data.demo import demo_assets

TITLE = "Mastering 4 minutes, stereo, 44.1 kHz, 16 bit in, 24 bit out: whole processes, alternating"

RATE = 44_100
MINUTES, LENGTHS_MINUTES = 4, (1, 4, 16, 60)
ALBUMS, ALBUM_MINUTES, JOBS = (1, 5, 20, 100), 1, (1, 2)
OURS, STYLE, NO_MODEL = "nm-master --model modest-eq-2", "nm-master", "nm-master --model none"
MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}
PEERS_PYTHON = os.environ.get("PEERS_PYTHON", sys.executable)
"""An interpreter that has the packages of the extra `peers`; its own environment if need be."""

CHAIN = ChainControls(
    eq=Bands.of(EqBand("peak", 60.0 * 1.9**i, (-1) ** i * 2.0, 1.0) for i in range(10)),
    gain_db=1.0,
    stages={
        "compressor": {
            **dict.fromkeys(("makeup_db", "sidechain_hz", "link_max"), 0.0),
            **{
                "threshold_db": -8.0,
                "ratio": 2.0,
                "attack_ms": 5.0,
                "release_ms": 100.0,
                "knee_db": 6.0,
                "mix": 0.8,
            },
            "input_lufs": -16.0,
        },
        "saturation": {"drive_db": 8.0, "shape": 0.4, "bias": 0.1, "mix": 0.5, "input_lufs": -16.0},
        "stereo": {"width": 1.2, "bass_frequency_hz": 90.0, "bass_amount": 0.5},
        "chain_limiter": {
            **{
                "threshold_db": -4.0,
                "release_ms": 30.0,
                "ceiling_db": -1.0,
                "amount": 0.7,
                "lookahead_ms": 5.0,
            },
        },
    },
)
"""Every stage of the grey-box chain does something."""

MATCHERING = "import sys, matchering as m; m.process(sys.argv[1], sys.argv[2], [m.pcm24(sys.argv[3])])"
SONARE = (
    "import sys, numpy as np, soundfile as s, libsonare as l\n"
    "x, r = s.read(sys.argv[1], dtype='float32', always_2d=True)\n"
    "left, right = (np.ascontiguousarray(c) for c in x.T)\n"
    "y = l.master_audio_stereo(left, right, sample_rate=r, preset_name='streaming')\n"
    "s.write(sys.argv[3], np.stack([np.asarray(y.left), np.asarray(y.right)], 1), r, subtype='PCM_24')\n"
)

# A process starts with the largest memory of the one that starts it, so a small one stands between.
BETWEEN = (
    "import resource, subprocess, sys, time\n"
    "started = time.perf_counter()\n"
    "code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
    "wall_s, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)\n"
    "print(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss)\n"
    "sys.exit(code)"
)


@dataclass
class Run:
    """One process: seconds on the clock, seconds of all cores, largest memory in MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


PARTS = ("contenders", "chain", "lengths", "albums", "start")


def run(rounds: int = 3, parts: Sequence[str] = PARTS) -> list[Row]:
    """A row for each contender, the whole chain, each length, albums and start-up.

    Contenders take turns, `rounds` times, and have medians and ranges; × is the time as a multiple of Matchering's.
    """
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song, reference = folder / "song.wav", folder / "reference.wav"
        write_song(song, MINUTES, gain=0.4)
        write_song(reference, 1, gain=0.7)
        contenders = _contenders(song, reference, folder)
        _measure(contenders[OURS])  # compiles the loops once, as the first run after installing does
        if "contenders" in parts:
            rows += _contender_rows(contenders, folder, rounds)
        if "chain" in parts:
            rows.append(_chain_row(song, folder))
        if "lengths" in parts:
            rows += _length_rows(song, contenders[OURS], folder)
        if "albums" in parts:
            rows += _album_rows(folder)
        if "start" in parts:
            rows += _start_rows(folder)
    return rows


def _contender_rows(contenders: dict[str, list[str]], folder: Path, rounds: int) -> list[Row]:
    measured: dict[str, list[Run]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for label, command in contenders.items():
            measured[label].append(_measure(command))
    peers = [label for label in measured if label.startswith("matchering")]
    unit_s = median(r.wall_s for r in measured[peers[0]]) if peers else float("nan")
    rows = [
        _row(label, f"{MINUTES} min", runs, median(r.wall_s for r in runs) / unit_s)
        for label, runs in measured.items()
    ]
    for row, file in zip(rows, ("numbers.json", "style.json", "without.json"), strict=False):
        row["real-time factor by step"] = _steps(folder / file, MINUTES)
    return rows


def _length_rows(song: Path, command: list[str], folder: Path) -> list[Row]:
    rows = []
    for minutes in LENGTHS_MINUTES:
        song.unlink()
        write_song(song, minutes, gain=0.4)
        row = _row(OURS, f"{minutes} min", [_measure(command)], float("nan"))
        row |= {"×": "", "real-time factor by step": _steps(folder / "numbers.json", minutes)}
        rows.append(row)
    return rows


def _album_rows(folder: Path) -> list[Row]:
    """Songs one after another and in several processes; the last column is the gain over one process."""
    songs = folder / "songs"
    songs.mkdir()
    rows = []
    for count in ALBUMS:
        for number in range(len(list(songs.iterdir())), count):
            write_song(songs / f"{number:02}.wav", ALBUM_MINUTES, gain=0.4)
        alone = 0.0
        for jobs in JOBS:
            command = [*_OURS, str(songs), "-o", f"{folder / 'album'}/", "--overwrite", "-q", "--target=-12"]
            run = _measure([*command, "--model", "modest-eq-2", "--jobs", str(jobs)])
            alone = alone or run.wall_s
            row = _row(f"{OURS} --jobs {jobs}", f"{count} × {ALBUM_MINUTES} min", [run], float("nan"))
            rows.append(
                row | {"×": "", "real-time factor by step": f"{alone / run.wall_s:.2f} × one process"}
            )
    return rows


def _start_rows(folder: Path) -> list[Row]:
    """Help, the shortest song, and the same where nothing compiled can be kept: the first run of all."""
    song = folder / "short.wav"
    soundfile.write(song, np.zeros((RATE, 2)) + 0.1 * np.sin(np.arange(RATE))[:, None], RATE, "PCM_16")
    short = [*_OURS, str(song), "-o", str(folder / "short_out.wav"), "--overwrite", "-q"]
    short += ["--model", "modest-eq-2"]
    runs = {
        "nm-master --help": [[*_OURS, "--help"]] * 3,
        f"{OURS}, warm": [short] * 3,
        f"{OURS}, first run": [["env", f"NUMBA_CACHE_DIR={folder / 'cache'}", *short]],
    }
    rows = [
        _row(
            label,
            "1 s" if "help" not in label else "",
            [_measure(command) for command in commands],
            float("nan"),
        )
        for label, commands in runs.items()
    ]
    return [row | {"×": ""} for row in rows]


_OURS = [sys.executable, "-m", "neural_mastering.cli.master"]


def _chain_row(song: Path, folder: Path) -> Row:
    """All stages of the grey-box chain at work, from a controls file: the real-time factor of each."""
    controls, numbers = folder / "chain.yaml", folder / "chain.json"
    save_controls(CHAIN, controls)
    command = [*_OURS, str(song), "-o", str(folder / "chain.wav")]
    run = _measure([*command, "--controls", str(controls), "--overwrite", "-q", "--json", str(numbers)])
    row = _row(f"{OURS}, whole chain", f"{MINUTES} min", [run], float("nan"))
    row["×"] = ""
    stages = json.loads(numbers.read_text())["stages"]
    row["real-time factor by step"] = ", ".join(f"{s['name']} {s['real_time_factor']:.4f}" for s in stages)
    return row


def _contenders(song: Path, reference: Path, folder: Path) -> dict[str, list[str]]:
    numbers = folder / "numbers.json"
    ours = [*_OURS, str(song), "-o", str(folder / "ours.wav")]
    ours += ["--target=-12", "--overwrite", "-q", "--json"]
    found = {
        OURS: [*ours, str(numbers), "--model", "modest-eq-2"],
        STYLE: [*ours, str(folder / "style.json")],
        NO_MODEL: [*ours, str(folder / "without.json"), "--model", "none"],
    }
    for package, code in (("matchering", MATCHERING), ("libsonare", SONARE)):
        ask = [
            PEERS_PYTHON,
            "-c",
            f"import {package}, importlib.metadata as m; print(m.version('{package}'))",
        ]
        asked = subprocess.run(ask, capture_output=True, text=True, check=False)
        if asked.returncode != 0:
            print(f"{package} is left out: not installed in {PEERS_PYTHON} (pip install '.[peers]')")
            continue
        label = f"{package} {asked.stdout.strip()}"
        found[label] = [PEERS_PYTHON, "-c", code, str(song), str(reference), str(folder / f"{package}.wav")]
    return found


def write_song(path: Path, minutes: int, gain: float) -> None:
    """The demo excerpts one after another, as often as it takes, in blocks."""
    excerpts = []
    for file in sorted(demo_assets().iterdir(), key=lambda f: f.name):
        if file.name.endswith(".ogg"):
            samples = soundfile.read(io.BytesIO(file.read_bytes()), dtype="float32", always_2d=True)[0]
            excerpts.append(samples * np.float32(gain))
    left = minutes * 60 * RATE
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as out:
        while left > 0:
            for excerpt in excerpts:
                out.write(excerpt[:left])
                left -= min(left, len(excerpt))


def _measure(command: list[str]) -> Run:
    between = [sys.executable, "-S", "-c", BETWEEN, *command]
    environment = os.environ | MALLOC
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its byte code
    done = subprocess.run(between, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stderr[-500:]}")
    wall_s, cpu_s, peak_kib = (float(value) for value in done.stdout.split()[-3:])
    return Run(wall_s, cpu_s, peak_kib / 1024)


def _row(label: str, length: str, runs: list[Run], ratio: float) -> Row:
    return {
        "program": label,
        "song": length,
        "seconds": f"{median(r.wall_s for r in runs):.2f}",
        "range": f"{min(r.wall_s for r in runs):.2f}–{max(r.wall_s for r in runs):.2f}"
        if len(runs) > 1
        else "",
        "×": f"{ratio:.2f}",
        "CPU seconds": f"{median(r.cpu_s for r in runs):.2f}",
        "peak MiB": f"{max(r.peak_mib for r in runs):.0f}",
        "real-time factor by step": "",
    }


def _steps(numbers: Path, minutes: int) -> str:
    seconds = json.loads(numbers.read_text())["seconds"]
    return ", ".join(f"{step} {value / (60 * minutes):.4f}" for step, value in seconds.items() if value > 0.0)


if __name__ == "__main__":
    print(f"torch {torch.__version__}, neural_mastering {version('neural-mastering')}")
    counts = [int(word) for word in sys.argv[1:] if word.isdigit()]
    print(as_table(run(counts[0] if counts else 3, [w for w in sys.argv[1:] if w in PARTS] or PARTS)))
