"""Multi-resolution STFT loss: forward and backward against auraloss, with the same resolutions."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks._timing import Contender, Row, alternate, as_table, devices, timed_columns
from neural_mastering.dsp import stft_fused
from neural_mastering.dsp.stft import multi_resolution_stft_distance
from neural_mastering.dsp.stft_resolution import FFT_SIZES

TITLE = "Multi-resolution STFT loss: 8 × stereo × 5 s at 44.1 kHz, FFT sizes 8192 … 256, hop = size/4"

BATCH, CHANNELS, TIME = 8, 2, 220_500
Loss = Callable[[Tensor, Tensor], Tensor]
OURS, FLOOR = "neural_mastering, L and R", "its FFTs alone"


def run(rounds: int = 7) -> list[Row]:
    """One row for each device and contender; "one item" is the value for a single item, which must agree."""
    rows: list[Row] = []
    for device in devices():
        generator = torch.Generator().manual_seed(0)
        target = 0.1 * torch.randn(BATCH, CHANNELS, TIME, generator=generator)
        audio = 0.7 * target + 0.05 * torch.randn(BATCH, CHANNELS, TIME, generator=generator)
        audio, target = audio.to(device).requires_grad_(), target.to(device)
        losses: dict[str, Loss] = {
            # The peer's own floor, so that the values are those of the same formula.
            OURS: lambda x, t: multi_resolution_stft_distance(
                x, t, views=("left", "right"), floor_db=-80.0, floor_reference="bin"
            ).mean(),
            "neural_mastering, L, R, M and S": lambda x, t: multi_resolution_stft_distance(x, t).mean(),
        }
        if (peer := auraloss_of(device)) is not None:
            losses["auraloss, L and R"] = peer
        contenders = {
            name: Contender(lambda loss=loss, x=audio, t=target: loss(x, t), [audio])
            for name, loss in losses.items()
        }
        contenders[FLOOR] = Contender(lambda x=audio, t=target: ffts(x.detach(), t))
        measured = alternate(contenders, device, rounds)
        for name, loss in losses.items():
            value = loss(audio.detach()[:1], target[:1]).item()
            columns = timed_columns(name, measured, OURS, FLOOR)
            rows.append({"device": device.type, "loss": name} | columns | {"one item": f"{value:.6f}"})
        rows.append({"device": device.type, "loss": FLOOR} | timed_columns(FLOOR, measured, OURS, FLOOR))
    return rows


def ffts(audio: Tensor, target: Tensor) -> Tensor:
    """The transforms of value and gradient: those of both sides, and back; frames of half a megabyte at a time."""
    for size in FFT_SIZES:
        frames = 2 * BATCH * (TIME // (size // 4) + 1)
        block = max(1, stft_fused.BLOCK_SAMPLES // size) if audio.device.type == "cpu" else frames
        given = audio.new_zeros(block, size)
        spectrum = torch.fft.rfft(given)
        for _ in range(math.ceil(frames / block)):
            torch.fft.rfft(given)
            torch.fft.rfft(given)
            torch.fft.irfft(spectrum, norm="forward")
    return target


def auraloss_of(device: torch.device) -> Loss | None:
    """The peer with our resolutions, where it is installed."""
    try:
        from auraloss.freq import MultiResolutionSTFTLoss
    except ImportError as error:
        print(f"auraloss is left out: {error}")
        return None
    hops = [size // 4 for size in FFT_SIZES]
    return MultiResolutionSTFTLoss(list(FFT_SIZES), hops, list(FFT_SIZES)).to(device)


if __name__ == "__main__":
    print(as_table(run()))
