"""Parametric equaliser: forward and backward, gradients for audio and all parameters, against peers."""

import math
from collections.abc import Callable

import numpy as np
import scipy.signal
import torch
from torch import Tensor

from benchmarks._timing import Contender, Row, alternate, as_table, devices, timed_columns
from neural_mastering.dsp import biquad
from neural_mastering.dsp.biquad import KINDS, Kind
from neural_mastering.interop import dasp_eq, torchaudio_eq
from neural_mastering.interop.biquad_sections import sections

TITLE = "Equaliser: 8 × stereo × 5 s at 44.1 kHz, 10 bands (low shelf, 8 peaks, high shelf)"

RATE = 44_100.0
BATCH, CHANNELS, TIME = 8, 2, 220_500
LOW_SHELF, PEAK, HIGH_SHELF = KINDS
PEAKS: list[Kind] = [PEAK] * 8
BANDS: list[Kind] = [LOW_SHELF, *PEAKS, HIGH_SHELF]
RANGES = {
    "30 Hz–16 kHz, Q 0.5–2.5": (30.0, 16_000.0, 2.5),
    "20 Hz–18 kHz, Q 0.5–5": (20.0, 18_000.0, 5.0),
}
OURS = "neural_mastering"


def run(rounds: int = 9) -> list[Row]:
    """One row for each range of controls, device and contender."""
    rows: list[Row] = []
    for device in devices():
        for label, (low_hz, high_hz, q_high) in RANGES.items():
            leaves = _leaves(low_hz, high_hz, q_high, device)
            contenders = {name: _contender(engine, leaves) for name, engine in _engines().items()}
            expected = _by_scipy(leaves)
            measured = alternate(contenders, device, rounds)
            for name, contender in contenders.items():
                got = contender.forward().detach()[:1].double().cpu().numpy()
                error = np.linalg.norm(got - expected) / np.linalg.norm(expected)
                columns = timed_columns(name, measured, OURS)
                rows.append(
                    {"controls": label, "device": device.type, "engine": name}
                    | columns
                    | {"error": f"{error:.1e}"}
                )
    return rows


def _engines() -> dict[str, Callable[..., Tensor]]:
    engines: dict[str, Callable[..., Tensor]] = {OURS: biquad.equalize}
    audio = torch.zeros(1, 1, 64)
    frequency, gain, q = torch.tensor([1_000.0, 1.0, 1.0]).view(3, 1, 1)
    for name, engine in (("dasp-pytorch", dasp_eq.equalize), ("torchaudio lfilter", torchaudio_eq.equalize)):
        try:
            engine(audio, frequency, gain, q, RATE)
        except ImportError as error:
            print(f"{name} is left out: {error}")
        else:
            engines[name] = engine
    return engines


def _leaves(low_hz: float, high_hz: float, q_high: float, device: torch.device) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    bands = len(BANDS)
    audio = 0.1 * torch.randn(BATCH, CHANNELS, TIME, generator=generator)
    frequency = torch.logspace(math.log10(low_hz), math.log10(high_hz), bands).repeat(BATCH, 1)
    gain = 24.0 * torch.rand(BATCH, bands, generator=generator) - 12.0
    # The slowest pole decides about the impulse response: let the lowest peak have it.
    gain[:, 1] = 12.0
    q = 0.5 + (q_high - 0.5) * torch.rand(BATCH, bands, generator=generator)
    q[:, 1] = q_high
    q[:, [0, -1]] = q[:, [0, -1]].clamp(max=1.0)
    return [leaf.to(device).requires_grad_() for leaf in (audio, frequency, gain, q)]


def _contender(engine: Callable[..., Tensor], leaves: list[Tensor]) -> Contender:
    return Contender(lambda: engine(*leaves, RATE, BANDS), leaves)


def _by_scipy(leaves: list[Tensor]) -> np.ndarray:
    """The first item by scipy's recursive filter in float64."""
    audio, frequency, gain, q = (leaf.detach()[:1].double().cpu() for leaf in leaves)
    cascade = sections(frequency, gain, q, RATE, BANDS)[0].numpy()
    return np.asarray(scipy.signal.sosfilt(cascade, audio.numpy(), axis=-1))


if __name__ == "__main__":
    print(as_table(run()))
