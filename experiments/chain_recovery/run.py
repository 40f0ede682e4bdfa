"""Can a gradient find the settings of each stage? python experiments/chain_recovery/run.py MUSIC_FOLDER [STAGE …].

Each trial takes an excerpt, renders it with planted settings, and fits the controls from the neutral start
(amount 0) by Adam and then L-BFGS on the error of the waveform relative to the level of each 20 ms. The planted
settings are drawn from the middle four fifths of each range. `chain` plants and fits all four stages in series.
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import soundfile
import torch
from torch import Tensor

from neural_mastering.chance import seed_of
from neural_mastering.dsp import saturation, waveshaper
from neural_mastering.dsp.compressor import deviation
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.processors import Chain, Compressor, Limiter, Processor, Saturation, StereoWidth
from neural_mastering.processors.chain import REFERENCE_DBFS

RATE = 44_100
FRAME = RATE // 50
CHAIN = ("compressor", "saturation", "stereo", "limiter")
AMOUNTS = ("mix", "amount", "bass_amount")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path, help="folder of audio files, searched in depth")
    parser.add_argument("stages", nargs="*", default=[*CHAIN, "chain"])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--steps", type=int, default=200, help="of Adam")
    parser.add_argument("--refine", type=int, default=60, help="steps of L-BFGS")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of an excerpt")
    parser.add_argument("--json", type=Path, default=None)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    files = sorted(f for f in arguments.music.rglob("*") if f.suffix in (".flac", ".wav", ".ogg"))
    if not files:
        print(f"no audio in {arguments.music}", file=sys.stderr)
        return 2
    results = {}
    for name in arguments.stages:
        rows = []
        for trial in range(arguments.trials):
            audio = excerpt(files, trial, arguments.seconds)
            started = time.perf_counter()
            rows.append(fit(name, audio, trial, arguments.steps, arguments.refine))
            print(
                name,
                trial,
                {k: float(f"{v:.3g}") for k, v in rows[-1].items()},
                f"{time.perf_counter() - started:.0f} s",
                flush=True,
            )
        results[name] = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        print(
            f"{name}: median over {len(rows)} trials",
            {k: float(f"{v:.3g}") for k, v in results[name].items()},
            flush=True,
        )
        if arguments.json:
            arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0


def excerpt(files: list[Path], trial: int, seconds: float) -> Tensor:
    """The middle of the trial's file, at its own rate taken as 44.1 kHz: only the signal matters here."""
    file = files[seed_of("file", trial) % len(files)]
    with soundfile.SoundFile(file) as reader:
        count = round(seconds * RATE)
        reader.seek(max((len(reader) - count) // 2, 0))
        samples = reader.read(count, dtype="float32", always_2d=True)
    audio = torch.from_numpy(samples.T.copy())[None]
    return audio if audio.shape[1] == 2 else audio.expand(1, 2, -1)


def processor_of(name: str) -> Processor:
    return {"compressor": Compressor, "saturation": Saturation, "stereo": StereoWidth, "limiter": Limiter}[
        name
    ](RATE)


def planted(name: str, processor: Processor, trial: int) -> dict[str, Tensor]:
    """Settings between 0.1 and 0.9 of each range; amounts between 0.5 and 1."""
    generator = torch.Generator().manual_seed(seed_of(name, trial))
    found = {}
    for key, spec in processor.specs.items():
        unit = torch.rand(1, generator=generator)
        found[key] = 0.5 + 0.5 * unit if key in AMOUNTS else spec.to_physical(0.1 + 0.8 * unit)
    return found


def fit(name: str, audio: Tensor, trial: int, steps: int, refine: int) -> dict[str, float]:
    """Fit one trial; errors of the result."""
    names = CHAIN if name == "chain" else (name,)
    audio = audio.double()
    if "limiter" in names:  # the only stage that works in dBFS
        audio = audio / audio.abs().max().clamp(min=1e-3)
    chain = Chain({stage: processor_of(stage) for stage in names})
    rack = Rack(chain, audio)
    truth = {stage: planted(stage, chain.processors[stage], trial) for stage in names}
    with torch.no_grad():
        chain.eval()
        target = rack.render(truth)
        chain.train()
    error_of = relative_error(audio, target)
    best, loss_at_best = search(rack, error_of, steps, refine)
    found = rack.controls(best)
    with torch.no_grad():
        output = rack.render(found)
    errors = {
        "loss": loss_at_best,
        "waveform_error_db": 10.0
        * math.log10(
            float((output - target).square().mean() / (audio - target).square().mean().clamp(min=1e-12))
        ),
    }
    with torch.no_grad():
        if name == "chain":
            total = [short_term_db(x) - short_term_db(audio) for x in (target, output)]
            errors |= {"total_gain_db": rms(total[0] - total[1]), "planted_gain_db": rms(total[0])}
            return errors
        errors |= curve_errors(name, chain.processors[name], audio, rack.lufs, truth[name], found[name])
    for key, spec in chain.processors[name].specs.items():
        a, b = float(found[name][key]), float(truth[name][key])
        errors[key] = abs(math.log(a / b)) if spec.scale == "log" else abs(a - b)
    return errors


class Rack:
    """Stages in series on one excerpt, set by one vector of numbers that starts at rest."""

    def __init__(self, chain: Chain, audio: Tensor) -> None:
        self.chain, self.audio = chain, audio
        self.lufs = integrated_loudness(audio, RATE, floor_lufs=-70.0)
        stages = chain.processors.values()
        self.rest = torch.cat([stage.logits(stage.rest()).double() for stage in stages], dim=-1)
        speeds = [
            4.0 if s.reaches_ends else 1.0 for p in stages for s in p.specs.values() for _ in range(s.size)
        ]
        self.speeds = torch.tensor([speeds], dtype=torch.float64)
        self.counts = [stage.logit_count for stage in stages]

    def controls(self, moved: Tensor) -> dict[str, dict[str, Tensor]]:
        """Physical controls by stage."""
        parts = (self.rest + self.speeds * moved).split(self.counts, dim=-1)
        return {
            name: stage.controls(part)
            for (name, stage), part in zip(self.chain.processors.items(), parts, strict=True)
        }

    def render(self, controls: dict[str, dict[str, Tensor]]) -> Tensor:
        """The excerpt through all stages."""
        signal = self.audio
        for name, values in controls.items():
            signal = self.chain.stage(name, signal, values, self.lufs)
        return signal


def relative_error(audio: Tensor, target: Tensor) -> Callable[[Tensor], Tensor]:
    """Mean over frames of 20 ms of the error's power over that of the target.

    A plain squared error hears the loud passages only; what tells idle gain from reduction are the quiet ones.
    """
    least = 1e-5 * float(target.square().mean()) + 1e-14
    inside = torch.nn.functional.avg_pool1d(target.square().mean(dim=1, keepdim=True), FRAME) + least

    def error(output: Tensor) -> Tensor:
        difference = (output - target).square().mean(dim=1, keepdim=True)
        return (torch.nn.functional.avg_pool1d(difference, FRAME) / inside).mean()

    return error


def search(rack: Rack, error_of: Callable[[Tensor], Tensor], steps: int, refine: int) -> tuple[Tensor, float]:
    """Adam from rest, then L-BFGS from the best point: the valleys are narrow where controls stand in for one
    another."""
    moved = torch.zeros_like(rack.rest, requires_grad=True)
    best, loss_at_best = moved.detach().clone(), math.inf

    def loss_now() -> Tensor:
        nonlocal best, loss_at_best
        loss = error_of(rack.render(rack.controls(moved)))
        if float(loss.detach()) < loss_at_best:
            best, loss_at_best = moved.detach().clone(), float(loss.detach())
        return loss

    adam = torch.optim.Adam([moved], lr=0.1, betas=(0.9, 0.95))
    for step in range(steps):
        adam.param_groups[0]["lr"] = 0.05 * (1.0 + math.cos(math.pi * step / steps)) + 0.002
        loss = loss_now()
        adam.zero_grad()
        # decibels of the error: the steps stay useful when it is small
        torch.log(loss + 1e-9).backward()
        adam.step()
    with torch.no_grad():
        moved.copy_(best)
    newton = torch.optim.LBFGS(
        [moved],
        max_iter=refine,
        history_size=20,
        tolerance_grad=1e-12,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        newton.zero_grad()
        loss = torch.log(loss_now() + 1e-9)
        loss.backward()
        return loss

    if refine:
        newton.step(closure)
    return best, loss_at_best


def short_term_db(audio: Tensor) -> Tensor:
    """Level in dB of each 20 ms."""
    power = torch.nn.functional.avg_pool1d(audio.square().mean(dim=1, keepdim=True), FRAME)
    return 10.0 * torch.log10(power + 1e-9)


def curve_errors(
    name: str,
    processor: Processor,
    audio: Tensor,
    lufs: Tensor,
    truth: dict[str, Tensor],
    found: dict[str, Tensor],
) -> dict[str, float]:
    """RMS difference in dB of the gain curve over time (compressor, limiter) or over level (saturation)."""
    if isinstance(processor, Compressor):
        gain = 10.0 ** ((REFERENCE_DBFS - lufs) / 20.0)
        reductions, totals = [], []
        for controls in (truth, found):
            curve = {k: v for k, v in controls.items() if k not in ("mix", "makeup_db")}
            reduction = processor.reduction_db(audio * gain, **curve)
            mix, makeup = controls["mix"], controls["makeup_db"]
            totals.append(20.0 * torch.log10(1.0 + mix * deviation(reduction, makeup, audio)))
            # what the stage as a whole takes off, against its own gain when it is idle
            idle = 20.0 * torch.log10(1.0 + mix * deviation(0.0 * reduction, makeup, audio))
            reductions.append(totals[-1] - idle)
        return {
            "gain_reduction_db": rms(reductions[0] - reductions[1]),
            "total_gain_db": rms(totals[0] - totals[1]),
            "planted_reduction_db": rms(reductions[0]),
        }
    if isinstance(processor, Limiter):
        curves = []
        for controls in (truth, found):
            gain = processor.gain(
                audio, threshold_db=controls["threshold_db"], release_ms=controls["release_ms"]
            )
            curves.append(20.0 * torch.log10(gain))
        return {"gain_reduction_db": rms(curves[0] - curves[1]), "planted_reduction_db": rms(curves[0])}
    if isinstance(processor, Saturation):
        level = 10.0 ** (torch.linspace(-40.0, 0.0, 81, dtype=torch.float64) / 20.0)
        both = torch.cat([-level.flip(0), level])
        curves = [static_curve(both, controls) for controls in (truth, found)]
        return {
            # output level over input level; bias moves the zero crossing, so levels are of the magnitude
            "drive_curve_db": rms(20.0 * torch.log10((curves[1] / curves[0]).abs())),
            "slope_db": rms(20.0 * torch.log10(curves[1].diff() / curves[0].diff())),
            "planted_curve_db": rms(20.0 * torch.log10((curves[0] / both).abs())),
        }
    return {}


def static_curve(x: Tensor, controls: dict[str, Tensor]) -> Tensor:
    """Output of the saturation for a steady input."""
    parameters = saturation.soft_clip_parameters(controls["drive_db"], controls["shape"], controls["bias"])
    slope, offset, corner, gain = parameters
    shaped = gain * (waveshaper.soft_clip(slope * x + offset, corner) - waveshaper.soft_clip(offset, corner))
    return x + controls["mix"].double() * (shaped - x)


def rms(difference: Tensor) -> float:
    return float(difference.square().mean().sqrt())


if __name__ == "__main__":
    raise SystemExit(main())
