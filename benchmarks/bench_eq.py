"""Parametric equaliser: forward and backward, gradients for audio and all parameters, against peers and its FFTs.

NM_EQ_PEERS=PYTHON adds the peers that are installed for another Python (philtorch, torchfx), where they need
another torch: `benchmarks/eq_peers.py` runs there and is asked in turn.
"""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.signal
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from benchmarks import eq_peers
from benchmarks._timing import (
    Contender,
    Row,
    alternate,
    as_table,
    devices,
    timed_columns,
)
from neural_mastering.dsp import biquad
from neural_mastering.dsp.biquad import Kind
from neural_mastering.interop import dasp_eq, torchaudio_eq
from neural_mastering.interop.biquad_sections import sections

TITLE = "Equaliser: stereo at 44.1 kHz, low shelf, peaks, high shelf (one or two bands: peaks)"

RATE = 44_100.0
LOW_SHELF: Kind = "low_shelf"
PEAK: Kind = "peak"
HIGH_SHELF: Kind = "high_shelf"
RANGES = {
    "30 Hz–16 kHz, Q 0.5–2.5": (30.0, 16_000.0, 2.5),
    "20 Hz–18 kHz, Q 0.5–5": (20.0, 18_000.0, 5.0),
}
OURS, FLOOR = "neural_mastering", "its FFTs alone"
PEERS_PYTHON = "NM_EQ_PEERS"


@dataclass(frozen=True)
class Size:
    """One question: how much audio, how many bands.

    Attributes:
        batch, seconds, bands: of the work.
        dtype: of audio and parameters.
        controls: a key of RANGES.
    """

    batch: int = 8
    seconds: float = 5.0
    bands: int = 10
    dtype: torch.dtype = torch.float32
    controls: str = "30 Hz–16 kHz, Q 0.5–2.5"


USUAL = Size()
SIZES = (
    USUAL,
    Size(controls="20 Hz–18 kHz, Q 0.5–5"),
    Size(bands=1),
    Size(bands=3),
    Size(bands=16),
    Size(batch=1, seconds=0.5, bands=1),
    Size(batch=1, seconds=0.5),
    Size(batch=1, seconds=30.0, bands=1),
    Size(batch=1, seconds=30.0),
    Size(batch=32),
    Size(dtype=torch.float64),
)
"""One thing at a time is changed from the usual size, and the corners where a recursion could win."""


def run(rounds: int = 7, sizes: Sequence[Size] = SIZES) -> list[Row]:
    """One row for each size, device and contender."""
    rows: list[Row] = []
    with eq_peers.Worker(os.environ.get(PEERS_PYTHON, "")) as worker:
        for device in devices():
            for size in sizes:
                rows += _rows(size, device, rounds, worker)
    return rows


def _rows(size: Size, device: torch.device, rounds: int, worker: eq_peers.Worker) -> list[Row]:
    low_hz, high_hz, q_high = RANGES[size.controls]
    leaves = leaves_of(
        low_hz, high_hz, q_high, device, size.batch, round(size.seconds * RATE), size.bands, size.dtype
    )
    audio, frequency, gain, q = leaves
    kinds = kinds_of(size.bands)
    contenders = {
        name: Contender(lambda engine=engine: engine(audio, frequency, gain, q, RATE, kinds), leaves)
        for name, engine in engines().items()
    }
    contenders[FLOOR] = Contender(ffts(leaves, kinds))
    elsewhere = (
        worker.contenders(leaves[0], sections(frequency, gain, q, RATE, kinds))
        if device.type == "cpu"
        else {}
    )
    measured = alternate(contenders, device, rounds, elsewhere=elsewhere)
    expected = _by_scipy(leaves, kinds)
    rows = []
    for name in measured:
        if name == FLOOR:
            error = ""
        else:
            got = elsewhere[name].result if name in elsewhere else contenders[name].forward()
            got = got.detach()[:1].double().cpu().numpy()
            error = f"{np.linalg.norm(got - expected) / np.linalg.norm(expected):.1e}"
        row = {"batch": str(size.batch), "s": f"{size.seconds:g}", "bands": str(size.bands)}
        row |= {"type": str(size.dtype).removeprefix("torch."), "controls": size.controls}
        row |= {"device": device.type, "engine": name}
        rows.append(row | timed_columns(name, measured, OURS, FLOOR) | {"error": error})
    return rows


def kinds_of(bands: int) -> Sequence[Kind]:
    """Shelves at the ends of three bands or more."""
    if bands < 3:
        return (PEAK,) * bands
    peaks: tuple[Kind, ...] = (PEAK,) * (bands - 2)
    return (LOW_SHELF, *peaks, HIGH_SHELF)


def engines() -> dict[str, Callable[..., Tensor]]:
    """What can be imported here, ours first."""
    found: dict[str, Callable[..., Tensor]] = {OURS: biquad.equalize}
    audio = torch.zeros(1, 1, 64)
    frequency, gain, q = torch.tensor([1_000.0, 1.0, 1.0]).view(3, 1, 1)
    peers = {
        "dasp-pytorch": dasp_eq.equalize,
        "torchaudio lfilter": torchaudio_eq.equalize,
        "torchlpc": _torchlpc,
    }
    for name, engine in peers.items():
        try:
            engine(audio, frequency, gain, q, RATE, [PEAK])
        except ImportError as error:
            print(f"{name} is left out: {error}")
        else:
            found[name] = engine
    return found


def _torchlpc(
    audio: Tensor, frequency: Tensor, gain: Tensor, q: Tensor, rate: float, kinds: Sequence[Kind]
) -> Tensor:
    """The recursion sample by sample, band after band: exact, with the gradient of the recursion itself."""
    return eq_peers.by_torchlpc(audio, sections(frequency, gain, q, rate, kinds))


def ffts(leaves: Sequence[Tensor], kinds: Sequence[Kind]) -> Callable[[], Tensor]:
    """The transforms of a forward and a backward pass, which our engine cannot do without."""
    audio = leaves[0].detach()
    frequency, gain, q = (leaf.detach().cpu().numpy() for leaf in leaves[1:])
    taps = biquad.impulse_response_length(frequency, gain, q, RATE, kinds)
    size = next_fast_len(audio.shape[-1] + taps - 1, real=True)
    impulse = audio.new_zeros(audio.shape[0], taps)
    spectrum, response = torch.fft.rfft(audio, n=size), torch.fft.rfft(impulse, n=size)
    curve = torch.fft.rfft(impulse)

    def work() -> Tensor:
        torch.fft.irfft(curve, n=taps)
        torch.fft.rfft(impulse, n=size)
        torch.fft.rfft(audio, n=size)
        torch.fft.irfft(spectrum, n=size)
        torch.fft.rfft(audio, n=size)
        torch.fft.irfft(spectrum, n=size)
        torch.fft.irfft(response, n=size)
        torch.fft.rfft(impulse)
        return audio

    return work


def leaves_of(
    low_hz: float,
    high_hz: float,
    q_high: float,
    device: torch.device,
    batch: int = USUAL.batch,
    samples: int = round(USUAL.seconds * RATE),
    bands: int = USUAL.bands,
    dtype: torch.dtype = torch.float32,
) -> list[Tensor]:
    """Audio, frequencies, gains and Qs that ask for a gradient."""
    generator = torch.Generator().manual_seed(0)
    audio = 0.1 * torch.randn(batch, 2, samples, generator=generator)
    frequency = torch.logspace(math.log10(low_hz), math.log10(high_hz), bands).repeat(batch, 1)
    gain = 24.0 * torch.rand(batch, bands, generator=generator) - 12.0
    q = 0.5 + (q_high - 0.5) * torch.rand(batch, bands, generator=generator)
    # The slowest pole decides about the impulse response: let the lowest peak have it.
    lowest = min(1, bands - 1)
    gain[:, lowest], q[:, lowest] = 12.0, q_high
    if bands > 2:
        q[:, [0, -1]] = q[:, [0, -1]].clamp(max=1.0)
    return [leaf.to(device, dtype).requires_grad_() for leaf in (audio, frequency, gain, q)]


def _by_scipy(leaves: Sequence[Tensor], kinds: Sequence[Kind]) -> np.ndarray:
    """The first item by scipy's recursive filter in float64."""
    audio, frequency, gain, q = (leaf.detach()[:1].double().cpu() for leaf in leaves)
    cascade = sections(frequency, gain, q, RATE, kinds)[0].numpy()
    return np.asarray(scipy.signal.sosfilt(cascade, audio.numpy(), axis=-1))


if __name__ == "__main__":
    print(as_table(run()))
