"""The multi-resolution distance of whole songs, for several gains and groups of views in one pass.

The same number as `stft.multi_resolution_stft_distance` of the scaled prediction, for each group of views by
itself. Frames go through in blocks, so that memory does not follow the length of the song, and the spectra of both
sides are computed once for all gains and groups.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from neural_mastering.dsp import stft_fused, stft_kernels
from neural_mastering.dsp.compiled import can_compile_for
from neural_mastering.dsp.stft import multi_resolution_stft_distance
from neural_mastering.dsp.stft_resolution import FFT_SIZES, MIX, Resolution, View, resolution
from neural_mastering.shapes import Audio


def distances(
    prediction: Audio,
    target: Audio,
    gains: Sequence[float],
    groups: Sequence[Sequence[View]],
    fft_sizes: Sequence[int] = FFT_SIZES,
    hop_ratio: float = 0.25,
    floor_db: float = -100.0,
    silence_db: float = -60.0,
) -> list[list[float]]:
    """Distance of gain·prediction from target, by gain and group of views.

    Args:
        prediction, target: (1, channel, time) of one shape, one or two channels; mono has one view in each group.
        gains: amplitude ratios, applied to the prediction.
        groups: views that are measured together.
        fft_sizes, hop_ratio, floor_db, silence_db: as in `multi_resolution_stft_distance`, levels re a sine.
    """
    if not can_compile_for(prediction) or prediction.dtype != torch.float32:
        return [
            [
                float(
                    multi_resolution_stft_distance(
                        prediction * gain, target, fft_sizes, hop_ratio, views, floor_db, "sine", silence_db
                    )[0]
                )
                for views in groups
            ]
            for gain in gains
        ]
    if (missing := min(fft_sizes) - prediction.shape[-1]) > 0:
        prediction, target = (torch.nn.functional.pad(x, (0, missing)) for x in (prediction, target))
    time = prediction.shape[-1]
    sizes = [size for size in fft_sizes if size <= time]
    pad = max(sizes) // 2
    got, wanted = (stft_fused.reflect(_array(side), pad)[0] for side in (prediction, target))
    stereo = prediction.shape[1] == 2
    # views of all groups in one list, each read once
    mixes = [[MIX[v] for v in views] if stereo else [(1.0, 0.0)] for views in groups]
    edges = np.cumsum([0, *(len(mix) for mix in mixes)])
    mix = np.asarray([pair for group in mixes for pair in group], dtype=np.float32)
    result = np.zeros((len(gains), len(groups)))
    for size in sizes:
        constants = resolution(size, hop_ratio, floor_db, "sine", silence_db)
        totals = _totals(got, wanted, time, pad, constants, gains, mix)
        frames = time // constants.hop + 1
        for j, (first, last) in enumerate(pairwise(edges)):
            bins = (last - first) * frames * (size // 2 + 1)
            silence = math.sqrt(constants.silence_power * bins)
            squares, energy, logs = totals[:, first:last].sum(axis=1).T
            scale = np.maximum(np.sqrt(energy), silence)
            result[:, j] += (np.sqrt(squares) / scale + logs / bins) / len(sizes)
    return result.tolist()


def _totals(
    got: np.ndarray,
    wanted: np.ndarray,
    time: int,
    pad: int,
    constants: Resolution,
    gains: Sequence[float],
    mix: np.ndarray,
) -> np.ndarray:
    """(gain, view, 3): Σ(P − T)², ΣT² and Σ|ln P − ln T|."""
    window, floor = stft_fused.hann(constants.fft_size), stft_fused.floor_of(constants)
    ratios = np.asarray(gains, dtype=np.float32)
    totals = np.zeros((len(gains), len(mix), 3))
    for place, count in stft_fused.blocks(time, pad, constants.fft_size, constants.hop):
        p, t = (stft_fused.spectra(side, place, count, constants.hop, window) for side in (got, wanted))
        stft_kernels.sums_by_gain(p, t, mix, ratios, floor, totals)
    return totals


def _array(audio: Tensor) -> np.ndarray:
    return audio.detach().numpy()
