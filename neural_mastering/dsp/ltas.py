"""Long-term average spectrum in third octaves."""

import torch
from jaxtyping import Float
from torch import Tensor

from neural_mastering.shapes import Audio, check_audio
from neural_mastering.units import power_to_db, third_octave_hz, third_octave_number

FLOOR_POWER = 1e-12
"""Added to band powers (−120 dB), so that silence has a finite level."""


def third_octave_centres_hz(low_hz: float = 25.0, high_hz: float = 16_000.0) -> Float[Tensor, " third"]:
    """Exact base-10 mid-band frequencies 10^(k/10) Hz from `low_hz` to `high_hz`. Source: IEC 61260-1, 5.2."""
    first, last = round(third_octave_number(low_hz)), round(third_octave_number(high_hz))
    return third_octave_hz(torch.arange(first, last + 1, dtype=torch.float64)).float()


def third_octave_levels_db(
    audio: Audio, sample_rate: float, low_hz: float = 25.0, high_hz: float = 16_000.0, fft_size: int = 16_384
) -> Float[Tensor, "batch third"]:
    """Level of each third-octave band in dB re full-scale power, mean power over time and channels.

    Welch's estimate (Hann, half overlap); a bin that lies across a band's edge counts with its part inside.

    Args:
        audio: (batch, channel, time).
        sample_rate: in Hz.
        low_hz, high_hz: first and last mid-band frequency.
        fft_size: 16,384 gives 2.7 Hz bins at 44.1 kHz, enough for the 25 Hz band (5.8 Hz wide).

    Examples:
        A full-scale sine of 1 kHz has a power of ½, −3.01 dB, all of it in the band of 1 kHz:

        >>> import math
        >>> import torch
        >>> sine = torch.sin(2 * math.pi * 1_000 / 48_000 * torch.arange(96_000))[None, None]
        >>> level_db = third_octave_levels_db(sine, 48_000)[0]
        >>> level_db.argmax() == 16, level_db.max()
        (tensor(True), tensor(-3.01))
    """
    check_audio(audio)
    with torch.autocast(audio.device.type, enabled=False):
        signal = audio if audio.dtype == torch.float64 else audio.float()
        if signal.shape[-1] < fft_size:
            signal = torch.nn.functional.pad(signal, (0, fft_size - signal.shape[-1]))
        window = torch.hann_window(fft_size, device=signal.device, dtype=signal.dtype)
        frames = signal.unfold(-1, fft_size, fft_size // 2)
        power = torch.zeros(signal.shape[0], fft_size // 2 + 1, device=signal.device, dtype=signal.dtype)
        for block in frames.split(64, dim=2):  # bounds the memory for long songs
            power = power + torch.fft.rfft(block * window).abs().square().sum(dim=(1, 2))
        one_sided = 2.0 / (fft_size * window.square().sum() * frames.shape[2] * signal.shape[1])
        weights = _band_weights(sample_rate, low_hz, high_hz, fft_size).to(power)
        return power_to_db(power * one_sided @ weights.T + FLOOR_POWER)


def interpolate_third_octaves(curve_db: Tensor, at_hz: Tensor) -> Tensor:
    """A curve at the default third octaves (third,) at other frequencies: linear over log f, constant beyond."""
    centres = third_octave_centres_hz().to(at_hz).log()
    position = at_hz.clamp(min=1e-3).log().clamp(centres[0], centres[-1])
    right = torch.searchsorted(centres, position).clamp(1, len(centres) - 1)
    left = right - 1
    share = (position - centres[left]) / (centres[right] - centres[left])
    curve_db = curve_db.to(at_hz)
    return curve_db[left] * (1.0 - share) + curve_db[right] * share


def _band_weights(sample_rate: float, low_hz: float, high_hz: float, fft_size: int) -> Tensor:
    """(third, bin): the part of each bin's width that lies inside each band."""
    centres = third_octave_centres_hz(low_hz, high_hz).double()[:, None]
    lower, upper = centres * 10.0**-0.05, centres * 10.0**0.05
    width = sample_rate / fft_size
    bins = torch.arange(fft_size // 2 + 1, dtype=torch.float64)[None] * width
    overlap = torch.minimum(upper, bins + width / 2) - torch.maximum(lower, bins - width / 2)
    return (overlap / width).clamp(min=0.0)
