"""Distances of a result from the finished song, at that song's loudness."""

import numpy as np
import torch

from experiments.reference_matching.excerpts import RATE, Samples
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.metering.movement import movement_of
from neural_mastering.metrics.ltas_error import ltas_error
from neural_mastering.metrics.multi_resolution_stft import multi_resolution_stft
from neural_mastering.metrics.stereo_width_error import stereo_width_error


class Distances:
    """Measures results against one finished song.

    Args:
        truth: the finished song, (channel, time).
    """

    def __init__(self, truth: Samples) -> None:
        self.truth = torch.from_numpy(truth.astype(np.float32))[None]
        self.lufs = integrated_loudness(self.truth, RATE)
        self.levels_db = movement_of([truth], RATE).levels_db

    @torch.inference_mode()
    def tone(self, result: Samples) -> tuple[float, float]:
        """Third-octave error in dB of the whole, MR-STFT of the middle 10 s."""
        own, wanted = self._pair(result)
        length = own.shape[-1]
        middle = slice(max(length // 2 - 5 * RATE, 0), length // 2 + 5 * RATE)
        ltas = ltas_error(own, wanted, RATE)
        return float(ltas), float(multi_resolution_stft(own[..., middle], wanted[..., middle]))

    @torch.inference_mode()
    def movement(self, result: Samples) -> tuple[float, float]:
        """RMS distance in dB of the quantiles of 50 ms levels, error of the width in dB (NaN for mono)."""
        levels_db = movement_of([result], RATE).levels_db
        own, wanted = self._pair(result)
        width = float(stereo_width_error(own, wanted)) if own.shape[1] == 2 else float("nan")
        return float(np.sqrt(np.mean((levels_db - self.levels_db) ** 2))), width

    def _pair(self, result: Samples) -> tuple[torch.Tensor, torch.Tensor]:
        """Result at the truth's loudness, and the truth, both as long as the shorter."""
        own = torch.from_numpy(result.astype(np.float32))[None]
        length = min(own.shape[-1], self.truth.shape[-1])
        gain_db = self.lufs - integrated_loudness(own, RATE)
        return own[..., :length] * 10.0 ** (gain_db / 20.0), self.truth[..., :length]
