"""Reading for training: segments a second of one worker, how many a training step needs, and ten thousand songs."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from benchmarks._timing import Row, as_table
from neural_mastering.data import make_demo_pairs
from neural_mastering.data.datamodule import PairedDataModule
from neural_mastering.data.dataset import TrainingCrops
from neural_mastering.data.degradation import PRESETS
from neural_mastering.data.demo import default_demo_folder

TITLE = "Data: one reading process, stereo segments of 5 s at 44.1 kHz; libraries of many songs"

BATCH = 8
SEGMENT_S, RATE = 5.0, 44_100
SONGS = (100, 1_000, 10_000)


def run() -> list[Row]:
    """Rows of throughput, of the training step's share of waiting, and of starts by number of songs."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_throughput(Path(folder)), *_waiting(Path(folder)), *_many_songs(Path(folder))]


def _throughput(folder: Path) -> list[Row]:
    """From files as they are, cut out by a seek, and from the cache, which training reads."""
    music = make_demo_pairs(default_demo_folder()) / "mastered"
    paths = {suffix: folder / suffix for suffix in ("flac", "wav")}
    for suffix, root in paths.items():
        root.mkdir()
        for file in sorted(music.glob("*.flac")):
            audio, rate = soundfile.read(file, always_2d=True)
            soundfile.write(root / f"{file.stem}.{suffix}", audio, rate, subtype="PCM_24")
    rows = []
    for suffix, root in paths.items():
        per_second = _rate(lambda index, root=root: _seek(root, index))
        rows.append(_row(f"{suffix.upper()} 24 bit, decoded on each read", per_second))
    for suffix, root in paths.items():
        crops = _crops(root, folder / "cache", None)
        rows.append(
            _row(f"{suffix.upper()} through the cache", _rate(lambda i, crops=crops: crops[0, i]["input"]))
        )
    for preset in PRESETS:
        crops = _crops(paths["flac"], folder / "cache", preset)
        per_second = _rate(lambda i, crops=crops: crops[0, i]["input"])
        rows.append(_row(f"FLAC through the cache, degraded on the fly: {preset}", per_second))
    return rows


def _row(what: str, segments_per_second: float) -> Row:
    return {"what": what, "segments / s / worker": f"{segments_per_second:.0f}"}


def _seek(root: Path, index: int) -> np.ndarray:
    files = sorted(root.iterdir())
    start = (index * 7_919) % (4 * RATE)
    return soundfile.read(
        files[index % len(files)], round(SEGMENT_S * RATE), start, dtype="float32", always_2d=True
    )[0]


def _crops(music: Path, cache: Path, preset: str | None) -> TrainingCrops:
    """Crops of released music; without a preset what is read stays as it is."""
    module = PairedDataModule(
        music,
        RATE,
        SEGMENT_S,
        cache_dir=cache,
        preset=preset or "light",
        validation_fraction=0.0,
        test_fraction=0.0,
    )
    crops = module.train_dataset()
    if preset is None:
        crops.degrader = None
    return crops


def _rate(read, seconds: float = 3.0) -> float:
    """Calls a second, after a warm-up of the compiled loops and the file cache."""
    for index in range(16):
        read(index)
    start, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < seconds:
        read(count)
        count += 1
    return count / passed


def _waiting(folder: Path) -> list[Row]:
    """A training step of phase 1A on music degraded on the fly: what it needs, and how long it waits."""
    rows = []
    for preset in (None, *PRESETS):
        data = ["data=demo"]
        if preset is not None:
            data = ["data=degraded", f"data.root='{folder / 'flac'}'", f"data.preset={preset}"]
            data += [f"data.cache_dir='{folder / 'cache'}'"]
        command = [sys.executable, "-m", "benchmarks.bench_data", "step", *data]
        result = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
        step_ms, waiting = result.stdout.strip().splitlines()[-1].split()
        rows.append(
            {
                "what": f"step of phase 1A, batch of {BATCH}, "
                + (f"degraded: {preset}" if preset else "demo pairs"),
                "step ms": step_ms,
                "segments / s needed": f"{1_000.0 * BATCH / float(step_ms):.1f}",
                "waiting for data": waiting,
            }
        )
    return rows


def one_step(overrides: list[str], steps: int = 6, warm_up: int = 2) -> None:
    """Print the median ms of a step and the share of it spent waiting, with one reading process."""
    import statistics

    import torch

    from neural_mastering.config.compose import compose
    from neural_mastering.config.run import build_model
    from neural_mastering.config.schema import make, validated
    from neural_mastering.losses import WeightedSum
    from neural_mastering.models import build
    from neural_mastering.training.memory import keep_freed_memory

    keep_freed_memory()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    config = validated(
        compose(["+phase=1a", *overrides, f"data.batch_size={BATCH}", "data.num_workers=1", "data.passes=20"])
    )
    model = build_model(config.model).to(device)
    objective = build(config.loss, path="loss", packages=None)
    assert isinstance(objective, WeightedSum)
    objective.to(device)
    optimizer = make(config.optimizer)(model.parameters())
    batches = iter(make(config.data).train_dataloader())
    waits, totals = [], []
    for step in range(warm_up + steps):
        start = time.perf_counter()
        batch = {key: value.to(device) for key, value in next(batches).items()}
        ready = time.perf_counter()
        output = model(batch["input"], batch["seed"])
        optimizer.zero_grad()
        objective(output, batch["target"], step).backward()
        optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        if step >= warm_up:
            waits.append(ready - start)
            totals.append(time.perf_counter() - start)
    print(f"{1e3 * statistics.median(totals):.0f} {100 * sum(waits) / sum(totals):.1f}%")


def _many_songs(folder: Path) -> list[Row]:
    """Libraries of links to a few short files: the first start, which resamples, and the second."""
    rows = []
    for count in SONGS:
        root = folder / f"{count} songs"
        _link_songs(folder, root, count)
        for what in ("first start", "second start"):
            command = [sys.executable, "-m", "benchmarks.bench_data", "start", str(root)]
            result = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
            opened, ready, grown = result.stdout.strip().splitlines()[-1].split()
            rows.append(
                {
                    "what": f"{count:,} songs, {what}",
                    "open s": opened,
                    "to first batch s": ready,
                    "memory + MiB": grown,
                }
            )
    return rows


def _link_songs(folder: Path, root: Path, count: int) -> None:
    sources = [folder / f"source {number}.flac" for number in range(10)]
    for number, source in enumerate(sources):
        if not source.exists():
            audio = 0.1 * np.random.default_rng(number).standard_normal((2 * 8_000, 1))
            soundfile.write(source, audio, 8_000)
    for number in range(count):
        album = root / f"album {number // 10}"
        album.mkdir(parents=True, exist_ok=True)
        os.link(sources[number % 10], album / f"song {number}.flac")


def one_start(root: Path) -> None:
    """Print seconds to open a library, seconds to its first batch, and how much the memory grew in MiB."""
    before = _resident_mib()
    start = time.perf_counter()
    module = PairedDataModule(
        root, 8_000, 1.0, BATCH, cache_dir=root.with_name(f"{root.name} cache"), preset="light"
    )
    module.setup()
    opened = time.perf_counter() - start
    next(iter(module.train_dataloader()))
    ready = time.perf_counter() - start
    print(f"{opened:.2f} {ready:.2f} {_resident_mib() - before:.0f}")


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "step":
        one_step(sys.argv[2:])
    elif len(sys.argv) > 2 and sys.argv[1] == "start":
        one_start(Path(sys.argv[2]))
    else:
        print(as_table(run()))
