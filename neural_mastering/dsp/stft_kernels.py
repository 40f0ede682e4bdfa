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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

if TYPE_CHECKING:
    from neural_mastering.dsp.stft import Resolution

Float32s = NDArray[np.float32]

# Without "nnan" and "ninf": a NaN in the audio must reach the loss.
_FAST = {"reassoc", "contract", "arcp", "nsz", "afn"}

_ZERO, _HALF, _ONE, _TWO = (np.float32(value) for value in (0.0, 0.5, 1.0, 2.0))
_ROOT2, _LN2 = np.float32(math.sqrt(2.0)), np.float32(math.log(2.0))
_THIRD, _FIFTH, _SEVENTH, _NINTH = (np.float32(1.0 / odd) for odd in (3, 5, 7, 9))


def distance_and_gradient(
    prediction: Float32s,
    target: Float32s,
    resolutions: Sequence["Resolution"],
    mix: Sequence[tuple[float, float]],
    wants_gradient: bool,
    workers: int,
) -> tuple[NDArray[np.float64], Float32s | None]:
    """Distances (batch,) and, if wanted, their derivative with respect to the prediction.

    Args:
        prediction, target: (batch, 1 or 2, time).
        resolutions: none longer than the audio.
        mix: for each view, its parts of left and right.
        workers: threads at most.
    """
    batch, _, time = prediction.shape
    pad = max(resolution.fft_size for resolution in resolutions) // 2
    mixing = np.asarray(mix, dtype=np.float32)
    scratch = threading.local()

    def work(job: tuple[int, "Resolution"]) -> tuple[float, Float32s | None]:
        item, resolution = job
        size, hop = resolution.fft_size, resolution.hop
        start, count = 2 * (pad - size // 2), time // hop + 1
        window = np.repeat(_hann(size), 2)
        got = _spectra(packed[0][item], start, count, hop, window, scratch, "got")
        wanted = _spectra(packed[1][item], start, count, hop, window, scratch, "wanted")
        squares, energy, logs = _sums(got, wanted, mixing, np.float32(resolution.floor_power))
        bins = len(mixing) * count * (size // 2 + 1)
        scale = max(math.sqrt(energy), math.sqrt(resolution.silence_power * bins))
        value = math.sqrt(squares) / scale + logs / bins
        if not wants_gradient:
            return value, None
        per_difference = 1.0 / (math.sqrt(squares) * scale) if squares > 0.0 else 0.0
        _spectral_gradient(
            got,
            wanted,
            mixing,
            np.float32(resolution.floor_power),
            np.float32(per_difference),
            np.float32(1.0 / bins),
        )
        frames = scipy.fft.ifft(got.view(np.complex64), axis=-1, norm="forward", overwrite_x=True).view(np.float32)
        gradient = np.zeros_like(packed[0][item])
        _overlap_add(frames, window, 2 * hop, gradient[start:])
        return value, gradient

    packed = [_pack(side, pad) for side in (prediction, target)]
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


def _hann(size: int) -> Float32s:
    """Periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


def _pack(audio: Float32s, pad: int) -> Float32s:
    """(batch, 2·(time + 2·pad)): left and right interleaved (right 0 for mono), edges reflected."""
    batch, channels, time = audio.shape
    packed = np.zeros((batch, time + 2 * pad, 2), dtype=np.float32)
    packed[:, pad : pad + time, :channels] = audio.transpose(0, 2, 1)
    packed[:, :pad] = packed[:, 2 * pad : pad : -1]
    packed[:, pad + time :] = packed[:, pad + time - 2 : time - 2 : -1]
    return packed.reshape(batch, -1)


def _unpack(padded: Float32s, pad: int, scale: np.float32, audio: Float32s) -> None:
    """The transpose of `_pack` for one item, times `scale`, into (channel, time)."""
    channels, time = audio.shape
    pairs = padded.reshape(-1, 2)
    inside = pairs[pad : pad + time]
    inside[1 : pad + 1] += pairs[:pad][::-1]
    inside[time - 1 - pad : time - 1] += pairs[pad + time :][::-1]
    np.multiply(inside.T[:channels], scale, out=audio)


def _spectra(
    packed: Float32s, start: int, count: int, hop: int, window: Float32s, scratch: threading.local, name: str
) -> Float32s:
    """FFTs of the windowed frames, (frame, 2·fft_size) with real and imaginary parts interleaved."""
    shape = (count, len(window))
    buffer = scratch.__dict__.get(name)
    if buffer is None or buffer.size < count * len(window):
        buffer = scratch.__dict__[name] = np.empty(count * len(window), dtype=np.float32)
    windowed = buffer[: count * len(window)].reshape(shape)
    frames = np.lib.stride_tricks.as_strided(packed[start:], shape, (2 * hop * packed.itemsize, packed.itemsize))
    np.multiply(frames, window, out=windowed)
    return scipy.fft.fft(windowed.view(np.complex64), axis=-1, overwrite_x=True).view(np.float32)


@intrinsic
def _bits_of(typing_context, value):  # noqa: ARG001
    """The bit pattern of a float32."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


@intrinsic
def _float_of(typing_context, bits):  # noqa: ARG001
    """The float32 of a bit pattern."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@njit(inline="always")
def _log(value):
    """Natural logarithm of a normal float32 ≥ 1: exponent·ln 2 + 2·artanh((m − √2)/(m + √2)) + ½·ln 2.

    math.log is a function call for each number; this runs on whole vector registers.
    """
    bits = _bits_of(value)
    exponent = np.float32((bits >> np.int32(23)) - np.int32(127))
    mantissa = _float_of((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000))
    x = (mantissa - _ROOT2) / (mantissa + _ROOT2)
    xx = x * x
    return (exponent + _HALF) * _LN2 + _TWO * x * (_ONE + xx * (_THIRD + xx * (_FIFTH + xx * (_SEVENTH + xx * _NINTH))))


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _deinterleave(pairs, real, imaginary):
    for k in range(real.shape[0]):
        real[k], imaginary[k] = pairs[2 * k], pairs[2 * k + 1]


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _deinterleave_backwards(pairs, real, imaginary):
    last = 2 * real.shape[0] - 2
    for k in range(real.shape[0]):
        real[k], imaginary[k] = pairs[last - 2 * k], pairs[last - 2 * k + 1]


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _interleave(real, imaginary, pairs):
    for k in range(real.shape[0]):
        pairs[2 * k], pairs[2 * k + 1] = real[k], imaginary[k]


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _interleave_backwards(real, imaginary, pairs):
    last = 2 * real.shape[0] - 2
    for k in range(real.shape[0]):
        pairs[last - 2 * k], pairs[last - 2 * k + 1] = real[k], imaginary[k]


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _half_sum_and_difference(a, b):
    """a, b ← (a + b)/2, (b − a)/2."""
    for k in range(a.shape[0]):
        x, y = a[k], b[k]
        a[k], b[k] = _HALF * (x + y), _HALF * (y - x)


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _unpack_row(row, planes):
    """Real and imaginary parts of L, then of R, k = 0 … N/2, from Z with its parts interleaved.

    Small steps over few arrays each: the compiler proves that they do not overlap and uses whole vectors.
    """
    half = row.shape[0] // 2
    _deinterleave(row[: half + 2], planes[0], planes[1])
    _deinterleave_backwards(row[half:], planes[3, 1:], planes[2, 1:])
    planes[3, 0], planes[2, 0] = planes[0, 0], planes[1, 0]
    _half_sum_and_difference(planes[0], planes[3])
    _half_sum_and_difference(planes[2], planes[1])


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _pack_row(planes, row):
    """Real and imaginary parts of the derivatives of L and R into a spectrum with the same Hermitian halves.

    The planes are used up.
    """
    half = row.shape[0] // 2
    middle = half // 2
    ends = planes[0, 0], planes[2, 0], planes[0, middle], planes[2, middle]
    _half_sum_and_difference(planes[3], planes[0])
    _half_sum_and_difference(planes[1], planes[2])
    _interleave(planes[0], planes[1], row[: half + 2])
    _interleave_backwards(planes[3, 1:], planes[2, 1:], row[half:])
    row[0], row[1], row[half], row[half + 1] = ends


@njit(inline="always")
def _power(planes, k, a, b):
    """|aL + bR|² of bin k."""
    real, imaginary = a * planes[0, k] + b * planes[2, k], a * planes[1, k] + b * planes[3, k]
    return real * real + imaginary * imaginary


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _sums(got, wanted, mix, floor):
    """Σ(P − T)², ΣT² and Σ|ln P − ln T| over views, frames and bins."""
    squares, energy, logs = 0.0, 0.0, 0.0
    bins = got.shape[1] // 4 + 1
    p, t = np.empty((4, bins), np.float32), np.empty((4, bins), np.float32)
    for frame in range(got.shape[0]):
        _unpack_row(got[frame], p)
        _unpack_row(wanted[frame], t)
        for view in range(mix.shape[0]):
            a, b = mix[view, 0], mix[view, 1]
            row_squares, row_energy, row_logs = _ZERO, _ZERO, _ZERO
            for k in range(bins):
                pp, tt = _power(p, k, a, b), _power(t, k, a, b)
                pp, tt = floor if pp < floor else pp, floor if tt < floor else tt
                difference = math.sqrt(pp) - math.sqrt(tt)
                row_squares += difference * difference
                row_energy += tt
                row_logs += _log(pp / tt if pp > tt else tt / pp)
            squares += row_squares
            energy += row_energy
            logs += _HALF * row_logs
    return squares, energy, logs


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _spectral_gradient(got, wanted, mix, floor, per_difference, per_log):
    """Replace Z of the prediction by the spectrum whose inverse FFT is the derivative of its frames.

    With the derivative c·V of a view, c real, that of L is (Σ a²c)·L + (Σ abc)·R, and that of R likewise.
    """
    bins = got.shape[1] // 4 + 1
    p, t = np.empty((4, bins), np.float32), np.empty((4, bins), np.float32)
    aa, ab, bb = np.empty(bins, np.float32), np.empty(bins, np.float32), np.empty(bins, np.float32)
    for frame in range(got.shape[0]):
        _unpack_row(got[frame], p)
        _unpack_row(wanted[frame], t)
        aa[:], ab[:], bb[:] = _ZERO, _ZERO, _ZERO
        for view in range(mix.shape[0]):
            a, b = mix[view, 0], mix[view, 1]
            for k in range(bins):
                pp, tt = _power(p, k, a, b), _power(t, k, a, b)
                heard = _ZERO if pp < floor else _ONE
                pp, tt = floor if pp < floor else pp, floor if tt < floor else tt
                sign = per_log if pp > tt else (-per_log if pp < tt else _ZERO)
                c = heard * (per_difference * (_ONE - math.sqrt(tt / pp)) + sign / pp)
                aa[k] += a * a * c
                ab[k] += a * b * c
                bb[k] += b * b * c
        _mix_planes(aa, ab, bb, p[0], p[2])
        _mix_planes(aa, ab, bb, p[1], p[3])
        _pack_row(p, got[frame])


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _mix_planes(aa, ab, bb, left, right):
    for k in range(aa.shape[0]):
        x, y = left[k], right[k]
        left[k], right[k] = aa[k] * x + ab[k] * y, ab[k] * x + bb[k] * y


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _overlap_add(frames, window, step, out):
    """out[f·step + n] += window[n]·frames[f, n]."""
    for frame in range(frames.shape[0]):
        row, part = frames[frame], out[frame * step : frame * step + frames.shape[1]]
        for n in range(row.shape[0]):
            part[n] += window[n] * row[n]
