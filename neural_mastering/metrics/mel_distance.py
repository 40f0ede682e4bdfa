"""Distance of log-mel spectrograms."""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neural_mastering.dsp.a_weighted import FFT_SIZE, HOP
from neural_mastering.dsp.mel import mel_filterbank
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.shapes import Audio, PerItem
from neural_mastering.units import power_to_db

BANDS, LOW_HZ, HIGH_HZ = 80, 20.0, 15_000.0
FLOOR_DB = -100.0
_BLOCK_FRAMES = 512


def mel_distance(prediction: Audio, target: Audio, sample_rate: float) -> PerItem:
    """Mean |difference| of mel-band levels in dB over channels, bands and frames, (batch,).

    80 Slaney bands of unit height from 20 Hz to 15 kHz, Hann frames of 2048 samples every 512, zero-padded at the
    ends; 0 dB is the band power of a full-scale sine, levels below −100 dB count as that.

    Examples:
        >>> import torch
        >>> noise = 0.1 * torch.randn(1, 2, 44_100, generator=torch.Generator().manual_seed(0))
        >>> mel_distance(0.5 * noise, noise, 44_100)
        tensor([6.02])
    """
    return levels_distance(mel_levels_db(prediction, sample_rate), mel_levels_db(target, sample_rate))


def mel_levels_db(audio: Audio, sample_rate: float) -> Float[Tensor, "batch channel band frame"]:
    """Levels of the mel bands."""
    with torch.autocast(audio.device.type, enabled=False):
        signal = audio if audio.dtype == torch.float64 else audio.float()
        window = torch.hann_window(FFT_SIZE, dtype=signal.dtype, device=signal.device)
        frames = functional.pad(signal, (FFT_SIZE // 2, FFT_SIZE // 2)).unfold(-1, FFT_SIZE, HOP)
        weights = filterbank(sample_rate).to(signal)
        blocks = [
            levels_of_power(torch.fft.rfft(block * window).abs().square(), weights)
            for block in frames.split(_BLOCK_FRAMES, dim=2)
        ]
        return torch.cat(blocks, dim=-1)


def levels_of_power(
    power: Float[Tensor, "*signal frame frequency"], weights: Float[Tensor, "band frequency"]
) -> Float[Tensor, "*signal band frame"]:
    """Levels in dB re a full-scale sine of the bands of power spectra."""
    bands = (power @ weights.T).transpose(-1, -2)
    return power_to_db(bands.clamp(min=1e-30)).clamp(min=3.0 * FLOOR_DB)


def levels_distance(
    prediction_db: Float[Tensor, "batch channel band frame"],
    target_db: Float[Tensor, "batch channel band frame"],
    gain_db: float = 0.0,
) -> PerItem:
    """The distance from the levels of both sides, with a gain on the prediction."""
    difference = (prediction_db + gain_db).clamp(min=FLOOR_DB) - target_db.clamp(min=FLOOR_DB)
    return difference.abs().mean(dim=(1, 2, 3))


@lru_cache(maxsize=4)
def _filterbank(sample_rate: float) -> list[list[float]]:
    top_hz = min(HIGH_HZ, sample_rate / 2.0)
    weights = mel_filterbank(FFT_SIZE, sample_rate, BANDS, LOW_HZ, top_hz, unit_area=False)
    # a full-scale sine has the power (Σ window/2)² on its bin and half as much, in sum, on the bins beside it
    return (weights / (1.5 * (FFT_SIZE / 4.0) ** 2)).tolist()


def filterbank(sample_rate: float) -> Float[Tensor, "band frequency"]:
    """Weights on a power spectrum, scaled so that a full-scale sine within a band reads 0 dB or less."""
    return torch.tensor(_filterbank(sample_rate), dtype=torch.float64)


class MelDistance(ItemMetric):
    """See `mel_distance`."""

    info = MetricInfo(
        "mel_distance",
        "Mel distance",
        "dB",
        False,
        True,
        True,
        "Mean difference of log-mel levels frame by frame; every band counts alike, however quiet.",
    )

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`mel_distance`."""
        return mel_distance(prediction, target, self.sample_rate)
