"""A parametric equaliser on mid and side separately.

With M = (L + R)/2, S = (L − R)/2 and the changes m = EQ_mid(M) − M, s = EQ_side(S) − S:

    L' = L + m + s        R' = R + m − s

so that bands at 0 dB change no bit. The bands are those of `dsp.biquad`. Mono audio has the mid only.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from neural_mastering.dsp import biquad, stereo
from neural_mastering.dsp.biquad import Kind
from neural_mastering.dsp.rate_match import sections_at_rate
from neural_mastering.dsp.rbj import Float64s
from neural_mastering.shapes import Audio, Bands, check_audio

MOST_CORRECTIONS = 4
"""Sections that `rate_match.sections_at_rate` may add to the bands."""

Curve = tuple[Bands, Bands, Bands]
"""frequency_hz, gain_db and q, (batch, band) each."""


def equalize(
    audio: Audio, mid: Curve, side: Curve, sample_rate: float, kinds: Sequence[Kind], taps: int
) -> Audio:
    """Equalise mid and side; gradients reach the audio and every parameter.

    Args:
        audio: (batch, channel, time), one or two channels, float32 or float64.
        mid, side: the two curves; mono audio gets that of the mid.
        sample_rate: in Hz.
        kinds: one of "low_shelf", "peak", "high_shelf" for each band.
        taps: length of the impulse responses in samples, see `biquad.equalize`.

    Raises:
        ValueError: more than two channels, or what `biquad.equalize` refuses.
    """
    check_audio(audio)
    if audio.shape[1] == 1:
        return biquad.equalize(audio, *mid, sample_rate, kinds, taps)
    parts = stereo.mid_side(audio).transpose(0, 1).flatten(0, 1)[:, None]  # all mids, then all sides
    frequency_hz, gain_db, q = (torch.cat([m, s]) for m, s in zip(mid, side, strict=True))
    change = biquad.equalize(parts, frequency_hz, gain_db, q, sample_rate, kinds, taps) - parts
    return _added(audio, *change[:, 0].chunk(2))


def equalize_stream(
    audio: Audio,
    mid: Curve,
    side: Curve,
    design_rate_hz: float,
    sample_rate: float,
    kinds: Sequence[Kind],
    memory: Tensor,
) -> tuple[Audio, Tensor]:
    """`equalize` by compiled recursive filters, chunk by chunk, without gradients; on the CPU, float64.

    Args:
        audio: (batch, channel, time), one or two channels.
        mid, side: the two curves at the design rate.
        design_rate_hz: the rate at which the bands mean their curve.
        sample_rate: of the audio in Hz; another than the design's keeps that curve, see `rate_match`.
        kinds: of the bands.
        memory: (batch, channel, band + `MOST_CORRECTIONS`, 2), zeros at the start.

    Returns:
        The audio, and the memory for the next chunk.

    Raises:
        ValueError: more than two channels, or bands that `sections_at_rate` refuses.
    """
    from neural_mastering.dsp import stream_kernels  # numba takes a second, which training need not wait for

    x = audio.detach().to("cpu", torch.float64)
    parts = (x if x.shape[1] == 1 else stereo.mid_side(x)).contiguous()
    memory = memory.detach().to("cpu", torch.float64).clone()
    wet = torch.empty_like(parts)
    for part, curve in enumerate((mid, side)[: parts.shape[1]]):
        columns = [values.detach().double().tolist() for values in curve]
        for item, bands in enumerate(zip(*columns, strict=True)):
            frequency, gain, q = (tuple(values) for values in bands)
            sections = _sections(tuple(kinds), frequency, gain, q, design_rate_hz, sample_rate)
            stream_kernels.cascade(
                parts[item, part : part + 1].numpy(),
                sections,
                memory[item, part : part + 1, : len(sections)].numpy(),
                wet[item, part : part + 1].numpy(),
            )
    change = wet - parts
    rendered = x + change if x.shape[1] == 1 else _added(x, *change.unbind(dim=1))
    return rendered.to(audio), memory


def _added(audio: Audio, mid: Tensor, side: Tensor) -> Audio:
    """Stereo audio plus changes (batch, time) of mid and side."""
    return audio + torch.stack((mid + side, mid - side), dim=1)


@lru_cache(maxsize=64)
def _sections(
    kinds: tuple[Kind, ...],
    frequency_hz: tuple[float, ...],
    gain_db: tuple[float, ...],
    q: tuple[float, ...],
    design_rate_hz: float,
    sample_rate: float,
) -> Float64s:
    """Sections of one curve, kept since a song comes in many chunks."""
    bands = np.array(frequency_hz), np.array(gain_db), np.array(q)
    return np.ascontiguousarray(sections_at_rate(kinds, *bands, design_rate_hz, sample_rate))
