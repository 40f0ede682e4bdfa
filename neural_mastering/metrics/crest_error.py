"""Error of the crest factor."""

import math

import torch

from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.shapes import Audio, PerItem
from neural_mastering.units import gain_to_db, power_to_db

SILENT_POWER = 1e-10


def crest_factor_db(audio: Audio) -> PerItem:
    """20·log10(max |x| / RMS) over channels and time in dB, (batch,); NaN below an RMS of −100 dBFS.

    Examples:
        >>> import math
        >>> import torch
        >>> sine = torch.sin(2 * math.pi * 1_000 / 48_000 * torch.arange(48_000))
        >>> crest_factor_db(sine[None, None])
        tensor([3.01], dtype=torch.float64)
    """
    return crest_of(audio.abs().amax(dim=(1, 2)).double(), audio.double().square().mean(dim=(1, 2)))


def crest_of(peak: PerItem, power: PerItem) -> PerItem:
    """The crest factor in dB from the sample peak and the mean square."""
    return torch.where(power > SILENT_POWER, gain_to_db(peak) - power_to_db(power), math.nan)


def crest_error(prediction: Audio, target: Audio) -> PerItem:
    """|crest(prediction) − crest(target)| in dB, (batch,); NaN where either side is silent.

    Examples:
        A square wave has a crest factor of 0 dB, a sine one of 3 dB:

        >>> import math
        >>> import torch
        >>> phase = 2 * math.pi * 997 / 48_000 * torch.arange(48_000)
        >>> sine = torch.sin(phase + 0.1)[None, None]
        >>> crest_error(sine.sign(), sine)
        tensor([3.01], dtype=torch.float64)
    """
    return (crest_factor_db(prediction) - crest_factor_db(target)).abs()


class CrestError(ItemMetric):
    """See `crest_error`."""

    info = MetricInfo(
        "crest_error",
        "Crest factor error",
        "dB",
        False,
        False,
        True,
        "Difference of sample peak over RMS of the whole song; an equaliser moves it as well as a limiter.",
    )

    def values(self, prediction: Audio, target: Audio) -> PerItem:
        """`crest_error`."""
        return crest_error(prediction, target)
