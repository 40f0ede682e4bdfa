"""Plant settings, fit them, and measure the errors of the result."""

import math

import torch
from torch import Tensor

from experiments.chain_recovery.errors import curve_errors, rms, short_term_db
from experiments.chain_recovery.rack import RATE, Rack, relative_error, search
from neural_mastering.chance import seed_of
from neural_mastering.processors import Chain, Compressor, Limiter, Processor, Saturation, StereoWidth

CHAIN = ("compressor", "saturation", "stereo", "limiter")
AMOUNTS = ("mix", "amount", "bass_amount")


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
