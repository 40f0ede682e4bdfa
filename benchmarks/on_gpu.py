"""Everything that training needs, on a GPU: python -m benchmarks.on_gpu [--quick] [--device cpu] [--out FILE].

A training step of each phase by its parts, in float32 and bfloat16, with memory, the share of time in which the GPU
works, and torch.compile; equaliser, loss and envelope against their peers and the time of their FFTs. Audio lies on
the device already; `bench_training` measures the reading of data. Each table is written when it is there, and no
new one is begun once the time is up.
"""

import argparse
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from benchmarks import bench_eq, bench_stft
from benchmarks._timing import Contender, Row, alternate, as_table, timed_columns
from benchmarks.run_all import describe_machine
from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import make, validated
from neural_mastering.dsp.biquad import equalize, impulse_response_length
from neural_mastering.dsp.envelope import coefficient, smooth
from neural_mastering.dsp.stft import multi_resolution_stft_distance
from neural_mastering.dsp.stft_resolution import FFT_SIZES
from neural_mastering.losses import WeightedSum
from neural_mastering.models import MasteringModel, build

RATE = 44_100
PHASES = ("1a", "1b", "1c", "2_full")
PARTS = ("forward", "loss", "backward", "optimizer")
FLOOR = "its FFTs alone"


class Bench:
    """What is measured on, and how much of it.

    Attributes:
        device: of everything.
        quick: fewer rounds and rows.
        batch, samples: size of the audio, (batch, 2, samples).
    """

    def __init__(self, device: torch.device, quick: bool) -> None:
        self.device, self.quick = device, quick
        on_cpu = device.type == "cpu"
        self.batch, self.samples = (2, RATE) if on_cpu else (8, 5 * RATE)
        self.rounds = 1 if on_cpu else 5 if quick else 9
        self.batches = (self.batch,) if on_cpu else (8, 64)

    def audio(self, batch: int, seed: int = 0) -> Tensor:
        """Noise (batch, 2, samples)."""
        generator = torch.Generator().manual_seed(seed)
        return (0.1 * torch.randn(batch, 2, self.samples, generator=generator)).to(self.device)

    def wait(self) -> None:
        """Until the device has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def alternating(self, contenders: Mapping[str, Contender]) -> list[Row]:
        """A row for each; the first is the measure."""
        measured = alternate(contenders, self.device, self.rounds)
        reference = next(iter(contenders))
        return [{"contender": name} | timed_columns(name, measured, reference) for name in contenders]


def equaliser(bench: Bench) -> list[Row]:
    """Ten bands, gradients for audio and parameters."""
    low_hz, high_hz, q_high = next(iter(bench_eq.RANGES.values()))
    leaves = bench_eq.leaves_of(low_hz, high_hz, q_high, bench.device, bench.batch, bench.samples)
    kinds = bench_eq.kinds_of(bench_eq.USUAL.bands)
    audio, frequency, gain, q = leaves
    taps = impulse_response_length(
        *(leaf.detach().cpu().numpy() for leaf in (frequency, gain, q)), sample_rate=RATE, kinds=kinds
    )
    contenders: dict[str, Contender] = {
        "neural_mastering": Contender(lambda: equalize(audio, frequency, gain, q, RATE, kinds, taps), leaves)
    }
    for name, engine in bench_eq.engines().items():
        if name != bench_eq.OURS and not (bench.quick and "lfilter" in name):
            contenders[name] = Contender(
                lambda engine=engine: engine(audio, frequency, gain, q, RATE, kinds), leaves
            )
    size = next_fast_len(bench.samples + taps - 1, real=True)
    spectrum = torch.fft.rfft(leaves[0].detach(), n=size)
    impulse = torch.zeros(bench.batch, 1, taps, device=bench.device)

    def ffts() -> Tensor:
        """Audio and impulse response there, their product back."""
        torch.fft.irfft(torch.fft.rfft(impulse, n=taps), n=taps)
        torch.fft.rfft(impulse, n=size)
        torch.fft.rfft(leaves[0].detach(), n=size)
        return torch.fft.irfft(spectrum, n=size)

    contenders[FLOOR] = Contender(ffts)
    return bench.alternating(contenders)


def loss(bench: Bench) -> list[Row]:
    """Four views of six resolutions; the peer has two views."""
    target = bench.audio(bench.batch, 1)
    audio = (0.7 * target + 0.5 * bench.audio(bench.batch, 2)).requires_grad_()
    plain = torch.compile(lambda x, t: multi_resolution_stft_distance(x, t, engine="torch").mean())
    contenders = {
        "neural_mastering, 4 views": Contender(
            lambda: multi_resolution_stft_distance(audio, target).mean(), [audio]
        ),
        "neural_mastering, 2 views": Contender(
            lambda: multi_resolution_stft_distance(audio, target, views=("left", "right")).mean(), [audio]
        ),
    }
    if bench.device.type == "cuda":
        contenders["the same, 4 views, torch.compile"] = Contender(lambda: plain(audio, target), [audio])
    if (peer := bench_stft.auraloss_of(bench.device)) is not None:
        contenders["auraloss, 2 views"] = Contender(lambda: peer(audio, target), [audio])

    def ffts() -> Tensor:
        """Both sides."""
        for size in FFT_SIZES:
            window = torch.hann_window(size, device=bench.device)
            for side in (audio.detach(), target):
                torch.stft(side.flatten(0, 1), size, size // 4, window=window, return_complex=True)
        return target

    contenders[FLOOR] = Contender(ffts)
    return bench.alternating(contenders)


def envelope(bench: Bench) -> list[Row]:
    """Attack and release of a compressor."""
    x = bench.audio(bench.batch)[:, 0].double().abs().requires_grad_()
    attack, release = (
        torch.full((bench.batch,), ms, device=bench.device, requires_grad=True) for ms in (10.0, 100.0)
    )
    leaves = [x, attack, release]
    contenders = {
        "neural_mastering, on the CPU's cores": Contender(lambda: smooth(x, attack, release, RATE), leaves)
    }
    if (recursion := _torchcomp()) is not None:
        nought = x.new_zeros(bench.batch)
        contenders["torchcomp"] = Contender(
            lambda: -recursion(-x, nought, coefficient(attack, RATE), coefficient(release, RATE)), leaves
        )
    return bench.alternating(contenders)


def _torchcomp() -> Callable[..., Tensor] | None:
    """Its recursion, loaded without torchlpc, not needed for it, and with a name that NumPy 2.5 has dropped."""
    try:
        import torchlpc  # noqa: F401  # optional
    except ImportError:
        stand_in = ModuleType("torchlpc")
        stand_in.sample_wise_lpc = None  # type: ignore[attr-defined]
        sys.modules["torchlpc"] = stand_in
    if not hasattr(np, "row_stack"):
        np.__dict__["row_stack"] = np.vstack
    try:
        from torchcomp.core import compressor_core  # optional
    except Exception as error:  # whatever a broken installation raises: the row is left out
        print(f"torchcomp is left out: {error!r}")
        return None
    return compressor_core


def steps(bench: Bench) -> list[Row]:
    """A step by its parts, for each phase, precision and size of batch."""
    rows = []
    for phase in PHASES:
        for precision in ("fp32",) if bench.device.type == "cpu" and phase != "1a" else ("fp32", "bf16"):
            for batch in bench.batches:
                if (
                    bench.quick
                    and batch != bench.batches[0]
                    and (phase in ("1b", "2_full") or precision == "fp32")
                ):
                    continue
                rows.append(
                    _guarded(lambda p=phase, q=precision, b=batch: _step(bench, p, q, b), phase, precision)
                )
    return rows


def compiled(bench: Bench) -> list[Row]:
    """The networks through torch.compile; filters stay as they are."""
    phases = ("1c",) if bench.quick else ("1a", "1c")
    return [
        _guarded(lambda p=phase: _step(bench, p, "bf16", bench.batch, compile_networks=True), phase, "bf16")
        for phase in phases
    ]


def _guarded(work: Callable[[], Row], phase: str, precision: str) -> Row:
    """The row, or what went wrong with it."""
    try:
        row = work()
        print(row, file=sys.stderr, flush=True)
        return row
    except Exception as error:  # one setting that fails leaves the others
        traceback.print_exc()
        return {"phase": phase, "precision": precision, "note": f"{type(error).__name__}: {str(error)[:80]}"}


def _step(bench: Bench, phase: str, precision: str, batch: int, compile_networks: bool = False) -> Row:
    torch.manual_seed(0)
    config = validated(compose([f"+phase={phase}", "model/encoder=log_mel"]))
    model = build_model(config.model)
    _moved(model)
    model = model.to(bench.device)
    if compile_networks:
        model.encoder.compile(dynamic=False)
        model.residual_head.compile(dynamic=False)
    objective = build(config.loss, path="loss", packages=None)
    assert isinstance(objective, WeightedSum)
    objective = objective.to(bench.device)
    optimizer = make(config.optimizer)(model.parameters())
    target = bench.audio(batch, 1)
    audio = 0.5 * target + 0.2 * bench.audio(batch, 2)
    seeds = torch.arange(batch, device=bench.device)

    def once(number: int) -> tuple[list[float], float]:
        """Milliseconds of each part, and the objective."""
        marks = [_now(bench)]
        with torch.autocast(bench.device.type, torch.bfloat16, enabled=precision == "bf16"):
            output = model(audio, seeds)
            marks.append(_now(bench))
            value = objective(output, target, number)
        marks.append(_now(bench))
        optimizer.zero_grad()
        value.backward()
        marks.append(_now(bench))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        marks.append(_now(bench))
        return [1e3 * (b - a) for a, b in pairwise(marks)], float(value.detach())

    start = time.perf_counter()
    values = [once(number)[1] for number in range(2)]
    first_s = time.perf_counter() - start
    if bench.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    found = [once(2 + number) for number in range(bench.rounds)]
    values += [value for _, value in found]
    parts = [statistics.median(times) for times in zip(*(parts for parts, _ in found), strict=True)]
    total = statistics.median(sum(parts) for parts, _ in found)
    spread = max(sum(p) for p, _ in found) - min(sum(p) for p, _ in found)
    row = {"phase": phase, "precision": precision, "batch": str(batch)}
    row["networks"] = "compiled" if compile_networks else "plain"
    row |= {"step ms": f"{total:.1f}", "± ms": f"{spread / 2:.1f}"}
    row |= {f"{name} ms": f"{value:.1f}" for name, value in zip(PARTS, parts, strict=True)}
    row["audio s / s"] = f"{batch * bench.samples / RATE / total * 1e3:.0f}"
    if bench.device.type == "cuda":
        row["peak MiB"] = f"{torch.cuda.max_memory_allocated() / 2**20:.0f}"
        row["GPU busy"] = f"{100 * _kernels_ms(once) / total:.0f} %"
    row |= {"first two s": f"{first_s:.1f}", "objective": f"{values[0]:.3f} → {values[-1]:.3f}"}
    return row


def _moved(model: MasteringModel) -> None:
    """Weights that move every control: at rest some stages would have nothing to do."""
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.abs().sum():
                parameter.normal_(std=0.03)


def _kernels_ms(once: Callable[[int], object]) -> float:
    """Time of all kernels of a step on the GPU; they run one after another."""
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        once(100)
        once(101)
    return sum(event.self_device_time_total for event in seen.key_averages()) / 2e3


def _now(bench: Bench) -> float:
    bench.wait()
    return time.perf_counter()


TABLES: Mapping[str, Callable[[Bench], list[Row]]] = {
    "Training step by its parts": steps,
    "Equaliser, 10 bands": equaliser,
    "Multi-resolution STFT loss": loss,
    "Envelope, attack and release": envelope,
    "Training step, networks compiled": compiled,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables and write them to --out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--device", default="cuda", choices=("cuda", "cpu"), help="cpu: 2 × 1 s, to try the command"
    )
    parser.add_argument("--quick", action="store_true", help="under 4 minutes instead of 8")
    parser.add_argument("--out", type=Path, default=Path("build/on_gpu.md"), help="Markdown")
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print("there is no CUDA device here: try the command with --device cpu", file=sys.stderr)
        return 2
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    bench = Bench(torch.device(options.device), options.quick)
    limit_s, start = (200.0 if options.quick else 420.0), time.perf_counter()
    parts = [
        f"{describe_machine()}; float32 without TF32; {bench.batch} × stereo × {bench.samples / RATE:g} s"
    ]
    for title, table in TABLES.items():
        if time.perf_counter() - start > limit_s:
            parts.append(f"## {title}\n\nnot measured: no time left")
            continue
        try:
            parts.append(f"## {title}\n\n{as_table(table(bench))}")
        except Exception as error:  # one table that fails leaves the others
            traceback.print_exc()
            parts.append(f"## {title}\n\nfailed: {error!r}")
        print(f"{parts[-1]}\n\n({time.perf_counter() - start:.0f} s)\n", flush=True)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text("\n\n".join(parts) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
