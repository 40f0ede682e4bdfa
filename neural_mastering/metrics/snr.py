"""Signal-to-noise ratio of the prediction against the target, after alignment."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from neural_mastering.dsp.delay import advance, estimate_delay_samples
from neural_mastering.dsp.stereo import mid_side
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.shapes import Audio, PerItem
from neural_mastering.units import db_to_power, power_to_db

MAX_DELAY_S = 0.05
LIMIT_DB = 100.0
EXCERPT_SAMPLES = 1 << 19
"""Length of the loudest part of the target on which the delay is measured."""

SILENT_POWER = 1e-10


def snr_db(prediction: Audio, target: Audio, sample_rate: float, max_delay_s: float = MAX_DELAY_S) -> PerItem:
    """10·log10(Σ t² / Σ (t − p)²) in dB, (batch,), p moved by its delay, to a fraction of a sample.

    Limited to ±100 dB; NaN where the target is below −100 dBFS. The number judges waveforms: phase alone (an
    all-pass, a minimum-phase filter against a linear-phase one) ruins it without being heard, and a level error of
    1 dB limits it to 18 dB. In float64.

    Examples:
        An error of 1 % of the amplitude, and the same 20 samples late (the delay is taken out):

        >>> import torch
        >>> noise = 0.1 * torch.randn(1, 2, 44_100, generator=torch.Generator().manual_seed(0))
        >>> noise[..., -100:] = 0.0
        >>> snr_db(1.01 * noise, noise, 44_100)
        tensor([40.00])
        >>> snr_db(1.01 * noise.roll(20, dims=-1), noise, 44_100)
        tensor([40.00])
    """
    return _ratios(aligned(prediction, target, sample_rate, max_delay_s), target)


def aligned(prediction: Audio, target: Audio, sample_rate: float, max_delay_s: float = MAX_DELAY_S) -> Audio:
    """Each prediction moved by its own delay behind its target."""
    pairs = zip(prediction.split(1), target.split(1), strict=True)
    return torch.cat([advance(p, delay_samples(p, t, sample_rate, max_delay_s)) for p, t in pairs])


def _ratios(prediction: Audio, target: Audio) -> PerItem:
    pairs = zip(prediction.split(1), target.split(1), strict=True)
    values = [snr_of_products(products(p, t).sum(dim=0), t[0].numel()) for p, t in pairs]
    return torch.stack(values).to(prediction.dtype)


def delay_samples(
    prediction: Audio, target: Audio, sample_rate: float, max_delay_s: float = MAX_DELAY_S
) -> float:
    """Delay of one prediction (1, channel, time), measured on the loudest part of the target; 0 below 0.01."""
    start, stop = loudest_part(target)
    sides = (prediction[..., start:stop], target[..., start:stop])
    delay = float(estimate_delay_samples(*sides, round(max_delay_s * sample_rate))[0])
    return 0.0 if abs(delay) < 0.01 else delay


def loudest_part(audio: Audio, samples: int = EXCERPT_SAMPLES) -> tuple[int, int]:
    """Start and end of the stretch of whole half-stretches with the most energy."""
    time = audio.shape[-1]
    if time <= samples:
        return 0, time
    half = samples // 2
    energy = audio[..., : time // half * half].square().unflatten(-1, (-1, half)).sum(dim=(0, 1, 3))
    start = int((energy[:-1] + energy[1:]).argmax()) * half
    return start, start + samples


def products(prediction: Audio, target: Audio) -> Float[Tensor, "channel 3"]:
    """Σ t², Σ p² and Σ p·t of each channel of one item, float64."""
    p, t = prediction[0].double(), target[0].double()
    return torch.stack((t.square().sum(-1), p.square().sum(-1), (p * t).sum(-1)), dim=-1)


def snr_of_products(sums: Float[Tensor, " 3"], samples: int, gain: float = 1.0) -> Tensor:
    """The ratio in dB from Σ t², Σ p² and Σ p·t, with a gain on the prediction."""
    signal, own, cross = sums.unbind(-1)
    if float(signal) <= SILENT_POWER * samples:
        return signal.new_full((), math.nan)
    noise = (signal + gain * gain * own - 2.0 * gain * cross).clamp(min=0.0)
    ratio = signal / noise.clamp(min=float(signal) * db_to_power(-LIMIT_DB))
    return power_to_db(ratio).clamp(-LIMIT_DB, LIMIT_DB)


class SignalToNoise(ItemMetric):
    """See `snr_db`."""

    info = MetricInfo(
        "snr",
        "SNR",
        "dB",
        True,
        True,
        True,
        "Signal over difference of the waveforms, after alignment to a fraction of a sample. Phase that nobody "
        "hears ruins it, 1 dB of level limits it to 18 dB: it can't say how near two masters sound.",
        1,
    )

    def _of_pair(self, prediction: Audio, target: Audio) -> PerItem:
        if self.pair == "lr":
            return self.values(prediction, target)
        # One delay for both channels: mid and side of a song do not move against each other.
        moved = aligned(prediction, target, self.sample_rate)
        sides = (mid_side(moved).flatten(0, 1)[:, None], mid_side(target).flatten(0, 1)[:, None])
        return _ratios(*sides).view(-1, 2).nanmean(dim=-1)

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`snr_db`."""
        return snr_db(prediction, target, self.sample_rate)
