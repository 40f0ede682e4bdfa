"""A whole training step of each phase on the demo pairs: speed, and the share of it spent waiting for data."""

import os
import statistics
import subprocess
import sys
import time

import torch

from benchmarks._timing import Row, as_table, devices
from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import make, validated
from neural_mastering.losses import WeightedSum
from neural_mastering.models import build
from neural_mastering.training.memory import keep_freed_memory

TITLE = "Training step: batches of 8 × stereo × 5 s at 44.1 kHz from the demo pairs, one reading process"

PHASES = ("1a", "1b", "1c", "2")
ENCODERS = ("log_mel", "tcn")
PLAIN = "--plain-malloc"


def run() -> list[Row]:
    """Rows by device, phase and encoder; each in a process of its own, since the allocator is set at the start."""
    rows: list[Row] = []
    for device in devices():
        for phase in PHASES:
            for encoder in ENCODERS:
                for extra in ([], [PLAIN]) if device.type == "cpu" and encoder == "log_mel" else ([],):
                    command = [
                        sys.executable,
                        "-m",
                        "benchmarks.bench_training",
                        device.type,
                        phase,
                        encoder,
                        *extra,
                    ]
                    result = subprocess.run(
                        command, capture_output=True, text=True, check=True, env=dict(os.environ)
                    )
                    values = result.stdout.strip().splitlines()[-1].split()
                    columns = ("step ms", "audio s / s", "waiting for data", "peak MiB")
                    row = {"device": device.type, "phase": phase, "encoder": encoder}
                    row["memory"] = "given back each step" if extra else "kept"
                    rows.append(row | dict(zip(columns, values, strict=False)))
    return rows


def one(device_name: str, phase: str, encoder: str, steps: int = 5, warm_up: int = 2) -> None:
    """Time one setting and print: median ms a step, audio seconds a second, share of waiting, peak MiB on a GPU."""
    device = torch.device(device_name)
    overrides = [f"+phase={phase}", f"model/encoder={encoder}", "data.batch_size=8", "data.passes=8"]
    config = validated(compose([*overrides, "data.num_workers=1"]))
    model = build_model(config.model).to(device)
    objective = build(config.loss, path="loss", packages=None)
    assert isinstance(objective, WeightedSum)
    objective.to(device)
    optimizer = make(config.optimizer)(model.parameters())
    waits, totals = [], []
    batches = iter(make(config.data).train_dataloader())
    for step in range(warm_up + steps):
        start = time.perf_counter()
        batch = {key: value.to(device) for key, value in next(batches).items()}
        ready = time.perf_counter()
        output = model(batch["input"], batch["seed"])
        optimizer.zero_grad()
        objective(output, batch["target"], step).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        end = time.perf_counter()
        if step >= warm_up:
            waits.append(ready - start)
            totals.append(end - start)
    median = statistics.median(totals)
    peak = f" {torch.cuda.max_memory_allocated() / 2**20:.0f}" if device.type == "cuda" else ""
    print(f"{1e3 * median:.0f} {8 * 5 / median:.1f} {100 * sum(waits) / sum(totals):.1f}% {peak}")


if __name__ == "__main__":
    if len(sys.argv) > 3:
        if PLAIN not in sys.argv:
            keep_freed_memory()
        one(sys.argv[1], sys.argv[2], sys.argv[3])
    else:
        print(as_table(run()))
