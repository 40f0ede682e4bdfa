"""Several ways to master the same songs: whole processes, alternating."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import soundfile

from benchmarks._timing import Row
from neural_mastering.data.demo import make_demo_pairs

SHORT, LONG, LONG_S = 16, 4, 240
PEERS_PYTHON = os.environ.get("PEERS_PYTHON", sys.executable)
"""An interpreter that has Matchering; its own environment if need be."""
ROOT = Path(__file__).parents[1]
SHELL, RUNNING = "shell loop of nm-master", "nm-batch, Ray cluster that runs already"

_MATCHERING = (
    "import sys, pathlib, matchering as m\n"
    "for song in map(pathlib.Path, sys.argv[3:]):\n"
    "    m.process(str(song), sys.argv[1], [m.pcm24(f'{sys.argv[2]}/{song.stem}.wav')])"
)
_LOOP = (
    'for song in "${@:3}"; do '
    '"$1" -m neural_mastering.cli.master "$song" -o "$2/" -q --overwrite 2>/dev/null || exit 1; done'
)


@dataclass(frozen=True)
class _Usage:
    """What a command took, with all that it started and waited for."""

    wall_s: float
    cpu_s: float


def alternating(folder: Path, songs: Sequence[Path], rounds: int) -> list[Row]:
    """A row for each contender; the best round stands first, since a neighbour's load counts least in it."""
    reference = min((folder / "demo" / "mastered").iterdir())  # no target: it would be refused
    contenders = _contenders(folder, songs, reference)
    found: dict[str, list[_Usage]] = {label: [] for label in contenders}
    for _ in range(rounds):
        for label, command in contenders.items():
            shutil.rmtree(folder / "out", ignore_errors=True)
            (folder / "out").mkdir()
            with _ray_runs() if label == RUNNING else nullcontext():
                found[label].append(_usage(command))
            made = [file for file in (folder / "out").rglob("*") if file.suffix in (".wav", ".flac", ".ogg")]
            masters = [file for file in made if not file.name.startswith(".")]
            if len(masters) != len(songs):
                raise RuntimeError(f"{label} made {len(masters)} of {len(songs)} masters")
    rates = {label: sorted(60.0 * len(songs) / use.wall_s for use in own) for label, own in found.items()}
    return [
        {
            "contender": label,
            "songs a minute, best": f"{rates[label][-1]:.1f}",
            "median": f"{median(rates[label]):.1f}",
            "worst": f"{rates[label][0]:.1f}",
            "× the shell loop": f"{rates[label][-1] / rates[SHELL][-1]:.2f}",
            # Ray's processes are nobody's children
            "CPU seconds a song": "" if "Ray" in label else f"{min(u.cpu_s for u in own) / len(songs):.2f}",
        }
        for label, own in found.items()
    ]


def short_songs(folder: Path) -> list[Path]:
    """The demo mixes of 10 s, under several names."""
    mixes = sorted((make_demo_pairs(folder / "demo") / "unmastered").iterdir())
    (folder / "songs").mkdir()
    found = []
    for number in range(SHORT):
        source = mixes[number % len(mixes)]
        found.append(folder / "songs" / f"{number:02d} {source.stem}{source.suffix}")
        shutil.copyfile(source, found[-1])
    return found


def long_songs(folder: Path) -> list[Path]:
    """The demo mixes one after another for four minutes, each time from another one on."""
    mixes = sorted((make_demo_pairs(folder / "demo") / "unmastered").iterdir())
    read = [soundfile.read(mix, dtype="float32") for mix in mixes]
    found = []
    for first in range(LONG):
        audio = np.concatenate([own for own, _ in read[first:] + read[:first]])
        rate = read[0][1]
        found.append(folder / f"{first}.wav")
        again = np.resize(audio, (LONG_S * rate, audio.shape[1]))
        soundfile.write(found[-1], again, rate, subtype="PCM_16")
    return found


def _contenders(folder: Path, songs: Sequence[Path], reference: Path) -> dict[str, list[str]]:
    out, names = str(folder / "out"), [str(song) for song in songs]
    manifest = folder / "songs.csv"
    manifest.write_text("path\n" + "".join(f"{name}\n" for name in names))

    def batch(*options: str) -> list[str]:
        program = [sys.executable, "-m", "neural_mastering.cli.batch", "master", str(manifest)]
        return [*program, "-o", out, "-q", *options]

    found = {
        SHELL: ["bash", "-c", _LOOP, "loop", sys.executable, out, *names],
        "nm-batch, 1 process": batch("--jobs", "1"),
        "nm-batch, 2 processes": batch("--jobs", "2"),
        "nm-batch, 2 processes, --model none": batch("--jobs", "2", "--model", "none"),
    }
    if find_spec("ray") is not None:
        found["nm-batch, Ray on this machine"] = batch("--engine", "ray")
        found[RUNNING] = batch("--engine", "ray")
    if subprocess.run([PEERS_PYTHON, "-c", "import matchering"], capture_output=True).returncode == 0:
        found["Matchering in a loop"] = [PEERS_PYTHON, "-c", _MATCHERING, str(reference), out, *names]
    return found


def _usage(command: list[str]) -> _Usage:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return _Usage(time.perf_counter() - started, usage.ru_utime + usage.ru_stime)


@contextmanager
def _ray_runs() -> Iterator[None]:
    """A Ray cluster of this machine that was there before and stays."""
    from ray.cluster_utils import Cluster  # pyright: ignore[reportMissingImports]  # an extra

    cluster = Cluster(initialize_head=True)
    os.environ["RAY_ADDRESS"] = cluster.address
    try:
        yield
    finally:
        del os.environ["RAY_ADDRESS"]
        cluster.shutdown()
