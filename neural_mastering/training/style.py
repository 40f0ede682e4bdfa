"""Random styles: smooth curves that a conditioned model learns to put into its result. No word data is needed.

    style → target' = target through the curve, at the target's own loudness

The model hears the input and the style and is scored against target'. At use the curve comes from words.
"""

import torch
from torch import Tensor

from neural_mastering.chance import uniform
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.ltas import third_octave_centres_hz
from neural_mastering.models.conditioning import Style
from neural_mastering.models.mastering import MasteringModel
from neural_mastering.shapes import Audio, ItemSeeds
from neural_mastering.units import db_to_gain

MOST_RMS_DB, CAP_DB = 2.0, 4.0
"""Styles have an RMS of 0 to 2 dB and no point beyond ±4 dB, as those of words."""

PLAIN = 0.2
"""Share of items without a style."""

SMOOTH_BANDS = 4.0
"""Standard deviation of the smoothing in third octaves, about that of the words' curves."""

_SALT = 29  # other numbers than those of the gates


def draw_styles(seeds: ItemSeeds) -> Style:
    """A smooth random curve for each item from its seed: mean 0 from 50 Hz on, RMS uniform over 0 to 2 dB."""
    centres = third_octave_centres_hz()
    band = torch.arange(len(centres), dtype=torch.float32, device=seeds.device)
    heard = (centres > 49.0).to(seeds.device)
    noise = uniform(seeds, len(centres) + 2, _SALT)
    white = torch.erfinv(2.0 * noise[:, 2:] - 1.0)
    smooth = white @ torch.exp(-0.5 * ((band[:, None] - band) / SMOOTH_BANDS) ** 2)
    curve = smooth - smooth[:, heard].mean(dim=-1, keepdim=True)
    curve = curve / curve[:, heard].square().mean(dim=-1, keepdim=True).sqrt()
    size = MOST_RMS_DB * noise[:, :1] * (noise[:, 1:2] > PLAIN)
    return (size * curve).clamp(-CAP_DB, CAP_DB)


def apply_style(audio: Audio, style_db: Style, sample_rate: float) -> Audio:
    """The audio through the curves of its items (zero phase), at the loudness it had.

    Args:
        audio: (batch, channel, time).
        style_db: (batch, third); linear over log f between third octaves, constant beyond.
        sample_rate: in Hz.
    """
    with torch.autocast(audio.device.type, enabled=False):
        signal, time = audio.float(), audio.shape[-1]
        size = 1 << (time + 4_096).bit_length()  # the rest is room for what rings on either side
        gain = db_to_gain(_at_bins(style_db.float(), size, sample_rate))
        styled = torch.fft.irfft(torch.fft.rfft(signal, n=size) * gain[:, None], n=size)[..., :time]
        before, after = (integrated_loudness(x, sample_rate, floor_lufs=-70.0) for x in (signal, styled))
        return (styled * db_to_gain(before - after)[:, None, None]).to(audio.dtype)


@torch.no_grad()
def styled(model: MasteringModel, target: Audio, seeds: ItemSeeds) -> tuple[Style | None, Audio]:
    """A style for each item and the target in that style; no style for a model that takes none."""
    if not model.conditioning.size:
        return None, target
    styles = draw_styles(seeds)
    return styles, apply_style(target, styles, model.sample_rate)


def _at_bins(style_db: Style, size: int, sample_rate: float) -> Tensor:
    """(batch, bin) in dB."""
    centres = third_octave_centres_hz().to(style_db).log()
    at = torch.fft.rfftfreq(size, 1.0 / sample_rate, device=style_db.device).clamp(min=1.0).log()
    at = at.clamp(centres[0], centres[-1])
    right = torch.searchsorted(centres, at).clamp(1, len(centres) - 1)
    share = (at - centres[right - 1]) / (centres[right] - centres[right - 1])
    return style_db[:, right - 1] * (1.0 - share) + style_db[:, right] * share
