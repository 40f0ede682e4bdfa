"""The multi-resolution distance on a CPU: value and gradient together, fused over the element-wise passes.

Left and right are the real and imaginary part of one complex signal z, so one complex FFT Z holds both:
L[k] = (Z[k] + Z*[N−k])/2 and R[k] = (Z[k] − Z*[N−k])/(2j). Each view is V = aL + bR with real a and b. The
gradient with respect to V is a real number times V, goes back into one complex spectrum, and one inverse FFT
gives the gradients of both channels. Nothing of the size of a spectrogram outlives its resolution.

Work is divided by item and resolution among plain threads (compiled code and FFTs release the interpreter
lock): a second OpenMP pool beside PyTorch's would fight with it over the cores.
"""

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from neural_mastering.dsp import stft_kernels
from neural_mastering.dsp.stft_resolution import Resolution

Float32s = NDArray[np.float32]


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
    batch, _, time = prediction.shape
    pad = max(resolution.fft_size for resolution in resolutions) // 2
    mixing = np.asarray(mix, dtype=np.float32)
    scratch = threading.local()

    def work(job: tuple[int, Resolution]) -> tuple[float, Float32s | None]:
        item, resolution = job
        size, hop = resolution.fft_size, resolution.hop
        start, count = 2 * (pad - size // 2), time // hop + 1
        window = np.repeat(hann(size), 2)
        got = spectra(packed[0][item], start, count, hop, window, scratch, "got")
        wanted = spectra(packed[1][item], start, count, hop, window, scratch, "wanted")
        squares, energy, logs = stft_kernels.sums(got, wanted, mixing, np.float32(resolution.floor_power))
        bins = len(mixing) * count * (size // 2 + 1)
        scale = max(math.sqrt(energy), math.sqrt(resolution.silence_power * bins))
        value = math.sqrt(squares) / scale + logs / bins
        if not wants_gradient:
            return value, None
        per_difference = 1.0 / (math.sqrt(squares) * scale) if squares > 0.0 else 0.0
        stft_kernels.spectral_gradient(
            got,
            wanted,
            mixing,
            np.float32(resolution.floor_power),
            np.float32(per_difference),
            np.float32(1.0 / bins),
        )
        frames = _transform(scipy.fft.ifft, got, norm="forward")
        gradient = np.zeros_like(packed[0][item])
        stft_kernels.overlap_add(frames, window, 2 * hop, gradient[start:])
        return value, gradient

    packed = [pack(side, pad) for side in (prediction, target)]
    jobs = [(item, resolution) for item in range(batch) for resolution in resolutions]
    values = np.zeros(batch)
    gradient = np.zeros(prediction.shape, dtype=np.float32) if wants_gradient else None
    with ThreadPoolExecutor(max(1, min(workers, len(jobs)))) as pool:
        padded = np.zeros(0, dtype=np.float32)
        for index, (value, part) in enumerate(pool.map(work, jobs)):
            item, rank = divmod(index, len(resolutions))
            values[item] += value / len(resolutions)
            if gradient is None or part is None:
                continue
            padded = part if rank == 0 else np.add(padded, part, out=padded)
            if rank == len(resolutions) - 1:
                _unpack(padded, pad, np.float32(1.0 / len(resolutions)), gradient[item])
    return values, gradient


def hann(size: int) -> Float32s:
    """Periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


def pack(audio: Float32s, pad: int) -> Float32s:
    """(batch, 2·(time + 2·pad)): left and right interleaved (right 0 for mono), edges reflected."""
    batch, channels, time = audio.shape
    packed = np.zeros((batch, time + 2 * pad, 2), dtype=np.float32)
    packed[:, pad : pad + time, :channels] = audio.transpose(0, 2, 1)
    packed[:, :pad] = packed[:, 2 * pad : pad : -1]
    packed[:, pad + time :] = packed[:, pad + time - 2 : time - 2 : -1]
    return packed.reshape(batch, -1)


def _unpack(padded: Float32s, pad: int, scale: np.float32, audio: Float32s) -> None:
    """The transpose of `pack` for one item, times `scale`, into (channel, time)."""
    channels, time = audio.shape
    pairs = padded.reshape(-1, 2)
    inside = pairs[pad : pad + time]
    inside[1 : pad + 1] += pairs[:pad][::-1]
    inside[time - 1 - pad : time - 1] += pairs[pad + time :][::-1]
    np.multiply(inside.T[:channels], scale, out=audio)


def spectra(
    packed: Float32s, start: int, count: int, hop: int, window: Float32s, scratch: threading.local, name: str
) -> Float32s:
    """FFTs of the windowed frames, (frame, 2·fft_size) with real and imaginary parts interleaved."""
    shape = (count, len(window))
    buffer = scratch.__dict__.get(name)
    if buffer is None or buffer.size < count * len(window):
        buffer = scratch.__dict__[name] = np.empty(count * len(window), dtype=np.float32)
    windowed = buffer[: count * len(window)].reshape(shape)
    strides = (2 * hop * packed.itemsize, packed.itemsize)
    frames = np.lib.stride_tricks.as_strided(packed[start:], shape, strides, writeable=False)
    np.multiply(frames, window, out=windowed)
    return _transform(scipy.fft.fft, windowed)


def _transform(fft: Callable[..., Any], rows: Float32s, **settings: str) -> Float32s:
    """FFT of each row of interleaved complex numbers, in place."""
    spectra = np.asarray(fft(rows.view(np.complex64), axis=-1, overwrite_x=True, **settings))
    return spectra.view(np.float32)
