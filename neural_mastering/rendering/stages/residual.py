"""The neural residual as a stage of a stream: at the model's rate, in chunks with the context that it needs."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.resample import Resampler, Samples
from neural_mastering.models.residual_heads import ResidualHead
from neural_mastering.rendering.stages.base import StreamStage
from neural_mastering.shapes import Latent

CHUNK_S = 8.0


@dataclass(frozen=True)
class ResidualSource:
    """A residual head in evaluation mode, its sample rate in Hz, and z (1, z) of the song."""

    head: ResidualHead
    sample_rate: float
    z: Latent


class ResidualStage(StreamStage):
    """x + amount·residual(x | z).

    The head reads the signal at its own rate: at another one the signal is resampled for it (soxr, VHQ) and the
    residual resampled back; the signal itself is never resampled. Above half the lower rate the residual is silent.
    Chunks begin at multiples of the head's stride and carry its receptive field, so they equal one shot.
    """

    name = "residual"

    def __init__(
        self,
        source: ResidualSource,
        sample_rate: int,
        channels: int,
        amount: float = 1.0,
        chunk_s: float = CHUNK_S,
    ) -> None:
        self._source, self._amount = source, amount
        head = source.head
        stride = head.stride_samples
        self._chunk = max(round(chunk_s * source.sample_rate / stride), 1) * stride
        self._before = math.ceil(head.receptive_field_samples / stride) * stride
        self._after = head.receptive_field_samples
        self._down = Resampler(sample_rate, source.sample_rate, channels)
        self._up = Resampler(source.sample_rate, sample_rate, channels)
        ratio = sample_rate / source.sample_rate
        self.latency_samples = math.ceil((self._chunk + self._after) * ratio) + 2 * sample_rate // 10
        self._heard = np.zeros((channels, 0), np.float32)  # at the model's rate, from `_origin` on
        self._origin = self._next = 0
        self._dry = np.zeros((channels, 0))
        self._wet = np.zeros((channels, 0), np.float32)

    def process(self, block: Block) -> Block:
        """Add as much of the residual as is computed."""
        self._dry = np.concatenate([self._dry, block], axis=1)
        self._heard = np.concatenate([self._heard, self._down.push(block.astype(np.float32))], axis=1)
        while self._origin + self._heard.shape[1] >= self._next + self._chunk + self._after:
            self._collect(self._up.push(self._chunk_at(self._next + self._chunk)))
        return self._ready()

    def flush(self) -> Block | None:
        """Compute the rest."""
        channels = self._dry.shape[0]
        self._heard = np.concatenate([self._heard, self._down.finish()], axis=1)
        end = self._origin + self._heard.shape[1]
        while self._next < end:
            self._collect(self._up.push(self._chunk_at(min(self._next + self._chunk, end))))
        self._collect(self._up.finish())
        missing = self._dry.shape[1] - self._wet.shape[1]
        if missing > 0:  # the two conversions may lose a sample to rounding
            self._collect(np.zeros((channels, missing), np.float32))
        return self._ready()

    def _chunk_at(self, stop: int) -> Samples:
        """The residual of [next, stop), from as much context as the head can see and the song has."""
        start = self._next
        context = max(start - self._before, 0)
        until = min(stop + self._after, self._origin + self._heard.shape[1])
        piece = self._heard[:, context - self._origin : until - self._origin]
        with torch.inference_mode():
            audio: Tensor = torch.from_numpy(np.ascontiguousarray(piece))[None]
            residual = self._source.head(audio, self._source.z)[0].numpy()
        self._next = stop
        keep = max(stop - self._before, 0)
        self._heard = self._heard[:, max(keep - self._origin, 0) :].copy()
        self._origin = max(keep, self._origin)
        return residual[:, start - context : stop - context]

    def _collect(self, residual: Samples) -> None:
        self._wet = np.concatenate([self._wet, residual], axis=1)

    def _ready(self) -> Block:
        count = min(self._wet.shape[1], self._dry.shape[1])
        out = self._dry[:, :count] + self._amount * self._wet[:, :count].astype(np.float64)
        self._dry, self._wet = self._dry[:, count:].copy(), self._wet[:, count:].copy()
        return out
