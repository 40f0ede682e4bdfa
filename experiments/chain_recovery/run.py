"""Can a gradient find the settings of each stage? python experiments/chain_recovery/run.py MUSIC_FOLDER [STAGE …].

Each trial takes an excerpt, renders it with planted settings, and fits the controls from the neutral start
(amount 0)
by Adam on the error of the waveform. The planted settings are drawn from the middle four fifths of each range.
"""

import argparse
import json
import math
import statistics
import sys
import time
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
SECONDS = 3.0
AMOUNTS = ("mix", "amount", "bass_amount")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path, help="folder of audio files, searched in depth")
    parser.add_argument("stages", nargs="*", default=["compressor", "saturation", "stereo", "limiter"])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--steps", type=int, default=200)
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
            audio = excerpt(files, trial)
            started = time.perf_counter()
            rows.append(fit(name, audio, trial, arguments.steps))
            print(
                name,
                trial,
                {k: round(v, 3) for k, v in rows[-1].items()},
                f"{time.perf_counter() - started:.0f} s",
            )
        results[name] = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        print(
            f"{name}: median over {len(rows)} trials",
            {k: round(v, 3) for k, v in results[name].items()},
            flush=True,
        )
        if arguments.json:
            arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0


def excerpt(files: list[Path], trial: int) -> Tensor:
    """The middle of the trial's file, at its own rate taken as 44.1 kHz: only the signal matters here."""
    file = files[seed_of("file", trial) % len(files)]
    with soundfile.SoundFile(file) as reader:
        count = round(SECONDS * RATE)
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


def fit(name: str, audio: Tensor, trial: int, steps: int) -> dict[str, float]:
    """Fit one trial; errors of the result."""
    processor = processor_of(name)
    chain = Chain({name: processor})
    if name == "limiter":  # the only stage that works in dBFS
        audio = audio / audio.abs().max().clamp(min=1e-3)
    lufs = integrated_loudness(audio, RATE, floor_lufs=-70.0)
    truth = planted(name, processor, trial)
    with torch.no_grad():
        target = chain.eval().stage(name, audio, truth, lufs)
    chain.train()
    rest = processor.logits(processor.rest())
    speeds = torch.tensor(
        [[4.0 if s.reaches_ends else 1.0 for s in processor.specs.values() for _ in range(s.size)]]
    )
    moved = torch.zeros_like(rest, requires_grad=True)
    optimizer = torch.optim.Adam([moved], lr=0.1, betas=(0.9, 0.95))
    scale = (target - audio).square().mean().clamp(min=1e-12)
    best, loss_at_best = rest, math.inf
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.1 * 0.5 * (1.0 + math.cos(math.pi * step / steps)) + 0.002
        logits = rest + speeds * moved
        output = chain.stage(name, audio, processor.controls(logits), lufs)
        loss = (output - target).square().mean() / scale
        if float(loss.detach()) < loss_at_best:
            best, loss_at_best = logits.detach(), float(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = processor.controls(best)
    errors = {"waveform_error": math.sqrt(loss_at_best)}
    with torch.no_grad():
        errors |= curve_errors(name, processor, audio, lufs, truth, found)
    for key, spec in processor.specs.items():
        a, b = float(found[key]), float(truth[key])
        errors[key] = abs(math.log(a / b)) if spec.scale == "log" else abs(a - b)
    return errors


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
        return {"drive_curve_db": rms(20.0 * torch.log10(curves[1].diff() / curves[0].diff()))}
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
