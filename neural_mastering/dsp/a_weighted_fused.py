"""The A-weighted distance on a CPU: value and gradient in one pass over the frames.

The slope along each view is a real number times its spectrum, known as soon as the frame is, so that nothing of the
size of a spectrogram is kept. Items are divided among threads; see `stft_fused`. `no_type_check` keeps checkers of
types at run time from wrapping what numba compiles.
"""

import math
from collections.abc import Sequence
from typing import no_type_check

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neural_mastering.dsp import stft_fused
from neural_mastering.dsp.stft_kernels import apply_to_planes, overlap_add, power, to_planes
from neural_mastering.dsp.threads import in_threads

Float32s = NDArray[np.float32]

# Without "nnan" and "ninf": a NaN in the audio must reach the loss.
_compiled = njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"}, error_model="numpy")

_ZERO = np.float32(0.0)
_SMALLEST_MAGNITUDE = np.float32(1e-15)


def distance_and_gradient(
    audio: Float32s,
    target: Float32s,
    weight: Float32s,
    hop: int,
    floor: float,
    mix: Sequence[tuple[float, float]],
    wants_gradient: bool,
    workers: int,
) -> tuple[Float32s, Float32s | None]:
    """Distances (batch,) and, if wanted, their derivative with respect to the audio.

    Args:
        audio, target: (batch, 1 or 2, time).
        weight: (bin,) of a real FFT of 2·(bin − 1) samples.
        hop: between frames, in samples.
        floor: of the target's weighted sum, for one frame.
        mix: for each view, its parts of left and right.
        wants_gradient: whether the derivative is computed.
        workers: threads at most.
    """
    size, time = 2 * (len(weight) - 1), audio.shape[-1]
    pad, window = size // 2, stft_fused.hann(size)
    mixing = np.asarray(mix, dtype=np.float32)
    gradient = np.empty_like(audio) if wants_gradient else None

    def work(item: int) -> float:
        got, wanted = (np.pad(side[item], ((0, 0), (pad, pad))) for side in (audio, target))
        padded = np.zeros_like(got) if wants_gradient else None
        distance, norm, frames = 0.0, 0.0, 0
        for place, count in stft_fused.blocks(time, pad, size, hop):
            p, t = (stft_fused.spectra(side, place, count, hop, window) for side in (got, wanted))
            found = weighted_slope(p, t, mixing, weight)
            distance, norm, frames = distance + found[0], norm + found[1], frames + count
            if padded is not None:
                overlap_add(stft_fused.frames_of(p, size), window, hop, padded[:, place:])
        norm = max(norm, floor * frames)
        if gradient is not None and padded is not None:
            np.multiply(padded[:, pad : pad + time], np.float32(1.0 / norm), out=gradient[item])
        return float(distance / norm)

    values = np.array(list(in_threads(work, range(len(audio)), workers)), dtype=np.float32)
    return values, gradient


@_compiled
@no_type_check
def weighted_slope(got, wanted, mix, weight):
    """Σ w·| |P| − |T| | and Σ w·|T| over views, frames and bins.

    Spectra (frame, channel, 2·bin) of the audio are replaced by those whose inverse FFTs, unscaled, are the
    derivative of the first sum by its frames.
    """
    distance, norm = 0.0, 0.0
    bins = weight.shape[0]
    p, t = np.zeros((4, bins), np.float32), np.zeros((4, bins), np.float32)
    c = np.empty(bins, np.float32)
    mixed = np.empty((3, bins), np.float32)
    for frame in range(got.shape[0]):
        to_planes(got[frame], p)
        to_planes(wanted[frame], t)
        mixed[:] = _ZERO
        for view in range(mix.shape[0]):
            a, b = mix[view, 0], mix[view, 1]
            row_distance, row_norm = _ZERO, _ZERO
            for k in range(bins):
                size, wish = math.sqrt(power(p, k, a, b)), math.sqrt(power(t, k, a, b))
                difference, w = size - wish, weight[k]
                row_distance += w * abs(difference)
                row_norm += w * wish
                signed = w if difference > _ZERO else (-w if difference < _ZERO else _ZERO)
                c[k] = signed / max(size, _SMALLEST_MAGNITUDE)
            distance += row_distance
            norm += row_norm
            _accumulate(c, a * a, mixed[0])
            _accumulate(c, a * b, mixed[1])
            _accumulate(c, b * b, mixed[2])
        apply_to_planes(mixed, p, got[frame])
    return distance, norm


@_compiled
@no_type_check
def _accumulate(values, factor, out):
    for k in range(out.shape[0]):
        out[k] += factor * values[k]
