"""The multi-resolution distance on a CPU: value and gradient together, fused over the element-wise passes.

Each view is V = aL + bR with real a and b, so that two real FFTs a frame serve all views. The gradient with
respect to V is a real number times V; it goes back into the spectra of left and right, and an inverse FFT of each
gives the gradients of the channels. Frames go through in blocks, so that what one pass writes the next one finds in
the cache; only the spectra of one item and resolution are kept, for the second pass.

Work is divided by item and resolution among plain threads (compiled code and FFTs release the interpreter lock):
a second OpenMP pool beside PyTorch's would fight with it over the cores. FFTs are PyTorch's, which on x86 are MKL's
and take half the time of pocketfft's.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from neural_mastering.dsp import stft_kernels
from neural_mastering.dsp.stft_resolution import Resolution
from neural_mastering.dsp.threads import in_threads

Float32s = NDArray[np.float32]

BLOCK_SAMPLES = 1 << 17
"""Samples of frames, of one channel, that are transformed at a time: half a megabyte."""

_SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)


def distance_and_gradient(
    prediction: Float32s,
    target: Float32s,
    resolutions: Sequence[Resolution],
    mix: Sequence[tuple[float, float]],
    wants_gradient: bool,
    workers: int,
) -> tuple[NDArray[np.float64], Float32s | None]:
    """Distances (batch,) and, if wanted, their derivative with respect to the prediction.

    Args:
        prediction, target: (batch, 1 or 2, time).
        resolutions: none longer than the audio.
        mix: for each view, its parts of left and right.
        wants_gradient: whether the derivative is computed.
        workers: threads at most.
    """
    batch = prediction.shape[0]
    pad = max(resolution.fft_size for resolution in resolutions) // 2
    mixing = np.asarray(mix, dtype=np.float32)
    padded = [reflect(side, pad) for side in (prediction, target)]

    def work(job: tuple[int, Resolution]) -> tuple[float, Float32s | None]:
        item, resolution = job
        return _one(padded[0][item], padded[1][item], pad, resolution, mixing, wants_gradient)

    jobs = [(item, resolution) for item in range(batch) for resolution in resolutions]
    values = np.zeros(batch)
    gradient = np.zeros(prediction.shape, dtype=np.float32) if wants_gradient else None
    total = np.zeros(0, dtype=np.float32)
    for index, (value, part) in enumerate(in_threads(work, jobs, workers)):
        item, rank = divmod(index, len(resolutions))
        values[item] += value / len(resolutions)
        if gradient is None or part is None:
            continue
        total = part if rank == 0 else np.add(total, part, out=total)
        if rank == len(resolutions) - 1:
            _unreflect(total, pad, np.float32(1.0 / len(resolutions)), gradient[item])
    return values, gradient


def _one(
    got: Float32s, wanted: Float32s, pad: int, resolution: Resolution, mix: Float32s, wants_gradient: bool
) -> tuple[float, Float32s | None]:
    """Distance of one item at one resolution, and its derivative by the padded prediction (channel, time)."""
    size, hop = resolution.fft_size, resolution.hop
    window, floor = hann(size), floor_of(resolution)
    squares, energy, logs, bins = 0.0, 0.0, 0.0, 0
    kept = []
    for place, count in blocks(got.shape[-1] - 2 * pad, pad, size, hop):
        p, t = (spectra(side, place, count, hop, window) for side in (got, wanted))
        found = stft_kernels.sums(p, t, mix, floor)
        squares, energy, logs = squares + found[0], energy + found[1], logs + found[2]
        bins += len(mix) * count * (size // 2 + 1)
        if wants_gradient:
            kept.append((place, p, t))
    scale = max(math.sqrt(energy), math.sqrt(resolution.silence_power * bins))
    value = float(math.sqrt(squares) / scale + logs / bins)
    if not wants_gradient:
        return value, None
    per_difference = 1.0 / (math.sqrt(squares) * scale) if squares > 0.0 else 0.0
    factors = np.float32(per_difference), np.float32(1.0 / bins)
    gradient = np.zeros_like(got)
    for place, p, t in kept:
        stft_kernels.spectral_gradient(p, t, mix, floor, *factors)
        stft_kernels.overlap_add(frames_of(p, size), window, hop, gradient[:, place:])
    return value, gradient


def floor_of(resolution: Resolution) -> np.float32:
    """The floor's power, a normal number, which the kernels' logarithm needs."""
    return np.float32(max(resolution.floor_power, _SMALLEST_NORMAL))


def hann(size: int) -> Float32s:
    """Periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


def reflect(audio: Float32s, pad: int) -> Float32s:
    """(batch, channel, time + 2·pad), edges reflected."""
    return np.pad(audio, ((0, 0), (0, 0), (pad, pad)), mode="reflect")


def _unreflect(padded: Float32s, pad: int, scale: np.float32, audio: Float32s) -> None:
    """The transpose of `reflect` for one item, times `scale`, into (channel, time)."""
    time = audio.shape[-1]
    inside = padded[:, pad : pad + time]
    inside[:, 1 : pad + 1] += padded[:, :pad][:, ::-1]
    inside[:, time - 1 - pad : time - 1] += padded[:, pad + time :][:, ::-1]
    np.multiply(inside, scale, out=audio)


def blocks(time: int, pad: int, size: int, hop: int) -> Iterator[tuple[int, int]]:
    """Place of the first frame in the padded audio, and number of frames, of each block."""
    frames, block = time // hop + 1, max(1, BLOCK_SAMPLES // size)
    for first in range(0, frames, block):
        yield pad - size // 2 + first * hop, min(block, frames - first)


def spectra(padded: Float32s, place: int, count: int, hop: int, window: Float32s) -> Float32s:
    """Bins 0 … N/2 of `count` windowed frames, (frame, channel, 2·bin), real and imaginary parts interleaved."""
    channels, size = padded.shape[0], len(window)
    frames = np.lib.stride_tricks.as_strided(
        padded[:, place:],
        (count, channels, size),
        (hop * padded.strides[1], *padded.strides),
        writeable=False,
    )
    spectrum = torch.fft.rfft(torch.from_numpy(frames * window))
    return torch.view_as_real(spectrum).numpy().reshape(count, channels, -1)


def frames_of(spectrum: Float32s, size: int) -> Float32s:
    """Unscaled inverse real FFTs, (frame, channel, time)."""
    pairs = torch.view_as_complex(torch.from_numpy(spectrum).unflatten(-1, (-1, 2)))
    return torch.fft.irfft(pairs, n=size, norm="forward").numpy()
