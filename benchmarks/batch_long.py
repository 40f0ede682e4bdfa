"""Songs of four minutes in a batch: the rates that docs/scale.md reckons with."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from benchmarks._timing import Row
from neural_mastering.data.demo import make_demo_pairs

SONGS, SECONDS = 6, 240
ROOT = Path(__file__).parents[1]
CONTENDERS = [(model, jobs) for model in (None, "none") for jobs in (1, 2)]


def long(rounds: int = 2) -> list[Row]:
    """Rate, CPU seconds of a song, and memory of its process, as nm-master works by default and without a model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = [str(song) for song in _songs(folder)]
        (folder / "songs.csv").write_text("path\n" + "".join(f"{song}\n" for song in names))
        found: dict[str, list[tuple[float, float, float]]] = {}
        for _ in range(rounds):
            for model, jobs in CONTENDERS:
                options = ["--jobs", str(jobs), *([] if model is None else ["--model", model])]
                shutil.rmtree(folder / "out", ignore_errors=True)
                own = _usage([str(folder / "songs.csv"), "-o", str(folder / "out"), "-q", *options])
                found.setdefault(" ".join(["nm-batch master", *options]), []).append(own)
        return [
            {
                "command": label,
                "songs a minute": ", ".join(f"{60.0 * SONGS / wall:.1f}" for wall, _, _ in own),
                "CPU seconds a song": ", ".join(f"{cpu / SONGS:.2f}" for _, cpu, _ in own),
                "largest process, MB": f"{max(memory for _, _, memory in own):.0f}",
            }
            for label, own in found.items()
        ]


def _usage(options: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds, and MB of the largest process, of nm-batch and all that it starts."""
    command = [sys.executable, "-m", "neural_mastering.cli.batch", "master", *options]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, 1.024e-3 * usage.ru_maxrss


def _songs(folder: Path) -> list[Path]:
    """Demo mixes, each again and again for four minutes."""
    found = []
    for mix in sorted((make_demo_pairs(folder / "demo") / "unmastered").iterdir())[:SONGS]:
        audio, rate = soundfile.read(mix, dtype="float32")
        found.append(folder / f"{mix.stem}.wav")
        soundfile.write(found[-1], np.resize(audio, (SECONDS * rate, audio.shape[1])), rate, subtype="PCM_16")
    return found
