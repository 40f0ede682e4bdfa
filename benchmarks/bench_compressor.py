"""Compressor: forward and backward, gradients for audio and all parameters, against peers."""

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks._timing import Contender, Row, alternate, as_table, devices, timed_columns
from neural_mastering.dsp import compressor
from neural_mastering.dsp.envelope import coefficient

TITLE = "Compressor: 8 × stereo × 5 s at 44.1 kHz"

RATE = 44_100.0
BATCH, CHANNELS, TIME = 8, 2, 220_500
OURS = "neural_mastering"
SETTINGS = {"threshold": -24.0, "ratio": 4.0, "attack": 5.0, "release": 100.0, "knee": 6.0, "makeup": 3.0}


def run(rounds: int = 9) -> list[Row]:
    """One row for each device and contender."""
    rows: list[Row] = []
    for device in devices():
        generator = torch.Generator().manual_seed(0)
        audio = 0.1 * torch.randn(BATCH, CHANNELS, TIME, generator=generator)
        controls = [torch.full((BATCH,), value) for value in SETTINGS.values()]
        leaves = [leaf.to(device).requires_grad_() for leaf in (audio, *controls)]
        engines: dict[str, Callable[..., Tensor]] = {
            OURS: _ours,
            "torchcomp": _torchcomp,
            "dasp-pytorch": _dasp,
        }
        contenders = {name: _contender(engine, leaves) for name, engine in engines.items()}
        usable = {}
        for name, contender in contenders.items():
            try:
                contender.forward()
            except (ImportError, RuntimeError) as error:
                print(f"{name} is left out on {device.type}: {error}")
            else:
                usable[name] = contender
        measured = alternate(usable, device, rounds)
        rows += [
            {"device": device.type, "compressor": name} | timed_columns(name, measured, OURS)
            for name in usable
        ]
    return rows


def _contender(engine: Callable[..., Tensor], leaves: list[Tensor]) -> Contender:
    return Contender(lambda: engine(*leaves), leaves)


def _ours(
    audio: Tensor,
    threshold: Tensor,
    ratio: Tensor,
    attack: Tensor,
    release: Tensor,
    knee: Tensor,
    makeup: Tensor,
) -> Tensor:
    power = compressor.linked_power(audio, "mean_square")
    reduction = compressor.gain_reduction_db(power, threshold, ratio, attack, release, knee, RATE)
    return audio + audio * compressor.deviation(reduction, makeup, audio)[:, None]


def _torchcomp(
    audio: Tensor,
    threshold: Tensor,
    ratio: Tensor,
    attack: Tensor,
    release: Tensor,
    knee: Tensor,
    makeup: Tensor,
) -> Tensor:
    """Called directly: its own gain computer, which has no knee; the detector is ours."""
    from torchcomp import compexp_gain

    level = compressor.linked_power(audio, "mean_square").clamp(min=1e-12).sqrt()
    rise, fall = (coefficient(t, RATE).float() for t in (attack, release))
    gain = compexp_gain(level, threshold, ratio, threshold - 200.0, torch.full_like(ratio, 0.5), rise, fall)
    return audio * gain[:, None] * torch.pow(10.0, (makeup + 0.0 * knee) / 20.0)[:, None, None]


def _dasp(
    audio: Tensor,
    threshold: Tensor,
    ratio: Tensor,
    attack: Tensor,
    release: Tensor,
    knee: Tensor,
    makeup: Tensor,
) -> Tensor:
    """Its attack time also serves as release time, and it adds up the channels."""
    from dasp_pytorch.functional import compressor as dasp_compressor

    return dasp_compressor(audio, int(RATE), threshold, ratio, attack, release, knee, makeup)


if __name__ == "__main__":
    print(as_table(run()))
