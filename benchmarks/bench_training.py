"""A whole training step of each phase on the demo pairs: its parts, its floor, and the wait for data.

The floor is what no arrangement of the step can leave out: the FFTs of the multi-resolution loss and of the
equaliser, and the encoder by itself, there and back; heads, residual and chain are not in it.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import torch

from benchmarks import bench_eq, bench_stft
from benchmarks._timing import Row, as_table, devices
from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import make, validated
from neural_mastering.losses import WeightedSum
from neural_mastering.models import MasteringModel, build
from neural_mastering.training.memory import keep_freed_memory

TITLE = "Training step: batches of 8 × stereo × 5 s at 44.1 kHz from the demo pairs"

PHASES = ("1a", "1b", "1c", "2")
ENCODERS = ("log_mel", "tcn")
PLAIN = "--plain-malloc"
WORKERS = (1, 0, 2)
"""Reading processes; all but the first only for phase 1A."""
COLUMNS = (
    *(
        "step ms",
        "± ms",
        "audio s / s",
        "waiting for data",
        "forward ms",
        "loss ms",
        "backward ms",
        "rest ms",
    ),
    *("floor ms", "× floor", "peak MiB"),
)


def run() -> list[Row]:
    """Rows by device, phase and encoder; each in a process of its own, since the allocator is set at the start."""
    rows: list[Row] = []
    for device in devices():
        for phase in PHASES:
            for encoder in ENCODERS:
                usual = phase == "1a" and encoder == "log_mel"
                for workers in WORKERS if usual else WORKERS[:1]:
                    rows.append(_row(device.type, phase, encoder, workers))
                if device.type == "cpu" and encoder == "log_mel":
                    rows.append(_row(device.type, phase, encoder, WORKERS[0], PLAIN))
    return rows


def _row(device: str, phase: str, encoder: str, workers: int, *extra: str) -> Row:
    command = [
        sys.executable,
        "-m",
        "benchmarks.bench_training",
        device,
        phase,
        encoder,
        str(workers),
        *extra,
    ]
    # this process may have been told to keep its memory, which the row about the opposite must not inherit
    environment = {
        key: value for key, value in os.environ.items() if not (extra and key.startswith("MALLOC_"))
    }
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    values = result.stdout.strip().splitlines()[-1].split()
    row = {"device": device, "phase": phase, "encoder": encoder, "readers": str(workers)}
    row["memory"] = "given back each step" if extra else "kept"
    return row | dict(zip(COLUMNS, values, strict=False))


def one(device_name: str, phase: str, encoder: str, workers: int, steps: int = 5, warm_up: int = 2) -> None:
    """Time one setting and print the values of COLUMNS: medians, and half the range of the step."""
    device = torch.device(device_name)
    overrides = [f"+phase={phase}", f"model/encoder={encoder}", "data.batch_size=8", "data.passes=8"]
    config = validated(compose([*overrides, f"data.num_workers={workers}"]))
    model = build_model(config.model).to(device)
    objective = build(config.loss, path="loss", packages=None)
    assert isinstance(objective, WeightedSum)
    objective.to(device)
    optimizer = make(config.optimizer)(model.parameters())
    rows: list[list[float]] = []
    floors: list[float] = []
    floor = _floor(model, device)
    batches = iter(make(config.data).train_dataloader())
    for step in range(warm_up + steps):
        marks = [_now(device)]
        batch = {key: value.to(device) for key, value in next(batches).items()}
        marks.append(_now(device))
        output = model(batch["input"], batch["seed"])
        marks.append(_now(device))
        optimizer.zero_grad()
        value = objective(output, batch["target"], step)
        marks.append(_now(device))
        value.backward()
        marks.append(_now(device))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        marks.append(_now(device))
        floor()
        end = _now(device)
        if step >= warm_up:
            rows.append([1e3 * (b - a) for a, b in pairwise(marks)])
            floors.append(1e3 * (end - marks[-1]))
    totals = [sum(row) for row in rows]
    step_ms, floor_ms = statistics.median(totals), statistics.median(floors)
    waiting, *parts = (statistics.median(column) for column in zip(*rows, strict=True))
    values = [f"{step_ms:.0f}", f"{(max(totals) - min(totals)) / 2:.0f}", f"{8 * 5 / step_ms * 1e3:.1f}"]
    values += [f"{100 * waiting / step_ms:.1f}%", *(f"{part:.0f}" for part in parts)]
    values += [f"{floor_ms:.0f}", f"{step_ms / floor_ms:.2f}"]
    if device.type == "cuda":
        values.append(f"{torch.cuda.max_memory_allocated() / 2**20:.0f}")
    print(" ".join(values))


def _floor(model: MasteringModel, device: torch.device) -> Callable[[], None]:
    """The work described at the top of this file."""
    low_hz, high_hz, q_high = next(iter(bench_eq.RANGES.values()))
    leaves = bench_eq.leaves_of(low_hz, high_hz, q_high, device)
    audio, equaliser = leaves[0].detach(), bench_eq.ffts(leaves, bench_eq.kinds_of(bench_eq.USUAL.bands))

    def work() -> None:
        equaliser()
        bench_stft.ffts(audio, audio)
        before = [p.grad for p in model.encoder.parameters()]
        model.encoder(audio).sum().backward()
        for parameter, gradient in zip(model.encoder.parameters(), before, strict=True):
            parameter.grad = gradient

    return work


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


if __name__ == "__main__":
    if len(sys.argv) > 4:
        if PLAIN not in sys.argv:
            keep_freed_memory()
        one(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        print(as_table(run()))
