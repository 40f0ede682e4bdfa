"""Synthetic pairs: an "unmastered" side made from a finished track by a rule that can be heard in the result.

    input = level · shelves(target),    shelves in dB:  low  = common_low  + g + e₁
                                                        high = common_high − g + e₂
    g = depth · tanh((B − centre) / width)

B is the track's bass-to-treble balance (`spectral_balance_db`), e₁ and e₂ are small, uniform in ± jitter, and
come from the item's seed. The common part (−6 dB, +1 dB below 200 Hz, −3 dB above 4 kHz) is the same for all
songs, so that an average EQ and a gain undo it. The part g exaggerates each song's own balance by up to
±6 dB: a bass-heavy track gets more bass and less treble. It grows with B, and so does the balance of the
input, with a slope above 1: what has to be undone is audible in the input, and an average EQ cannot undo it
for all songs. The exact inverse is in reach of an equaliser with a low and a high shelf: the same two shelves
with opposite gains, and +6 dB.
"""

from dataclasses import dataclass

import torch

from neural_mastering.chance import uniform
from neural_mastering.dsp import biquad
from neural_mastering.dsp.biquad import Kind
from neural_mastering.shapes import Audio, Bands, ItemSeeds, PerItem
from neural_mastering.units import db_to_gain, power_to_db

BASS_HZ = (40.0, 200.0)
TREBLE_HZ = (1_000.0, 6_000.0)
KINDS: tuple[Kind, Kind] = ("low_shelf", "high_shelf")


@dataclass(frozen=True)
class DegradationRule:
    """The numbers of the rule; levels in dB, frequencies in Hz."""

    level_db: float = -6.0
    low_shelf_hz: float = 200.0
    high_shelf_hz: float = 4_000.0
    q: float = 0.7071
    common_low_db: float = 1.0
    common_high_db: float = -3.0
    depth_db: float = 6.0
    centre_db: float = 8.0
    width_db: float = 8.0
    jitter_db: float = 0.25

    def shelf_gains_db(self, balance_db: PerItem, seeds: ItemSeeds) -> Bands:
        """Gains (batch, 2) of the low and the high shelf for songs of a given balance."""
        g = self.depth_db * torch.tanh((balance_db - self.centre_db) / self.width_db)
        jitter = self.jitter_db * (2.0 * uniform(seeds, 2).to(g) - 1.0)
        return torch.stack([self.common_low_db + g, self.common_high_db - g], dim=-1) + jitter


@dataclass(frozen=True)
class Degraded:
    """What came of it.

    Attributes:
        audio: (batch, channel, time).
        shelf_gain_db: (batch, 2), of the low and the high shelf.
        balance_db: (batch,), of the track before.
    """

    audio: Audio
    shelf_gain_db: Bands
    balance_db: PerItem


def degrade(
    target: Audio, sample_rate: float, seeds: ItemSeeds, rule: DegradationRule | None = None
) -> Degraded:
    """Make the "unmastered" side of finished tracks (batch, channel, time); nothing is clipped.

    Computed in float64, returned in the dtype of `target`.
    """
    rule = rule or DegradationRule()
    signal = target.double()
    balance_db = spectral_balance_db(signal, sample_rate)
    gain_db = rule.shelf_gains_db(balance_db, seeds)
    frequency_hz = torch.tensor([[rule.low_shelf_hz, rule.high_shelf_hz]]).to(signal).expand_as(gain_db)
    q = torch.full_like(gain_db, rule.q)
    shelved = biquad.equalize(signal, frequency_hz, gain_db, q, sample_rate, KINDS)
    return Degraded((shelved * db_to_gain(rule.level_db)).to(target.dtype), gain_db, balance_db)


def spectral_balance_db(audio: Audio, sample_rate: float, floor: float = 1e-12) -> PerItem:
    """Level of 40–200 Hz over that of 1–6 kHz in the long-term spectrum, in dB, (batch,).

    Power summed over channels, Hann windows of 8192 samples, half overlapped. Silence gives 0 dB.
    """
    window = torch.hann_window(8192, dtype=torch.float64, device=audio.device)
    flat = audio.double().reshape(-1, audio.shape[-1])
    spectrum = torch.stft(flat, 8192, 4096, window=window, return_complex=True)
    power = spectrum.abs().square().mean(dim=-1).reshape(audio.shape[0], audio.shape[1], -1).sum(dim=1)
    power = power / (window.square().sum() * 8192)
    frequency_hz = torch.arange(power.shape[-1], device=audio.device) * (sample_rate / 8192)
    bass, treble = (
        power[:, (frequency_hz >= low) & (frequency_hz < high)].sum(dim=-1) + floor
        for low, high in (BASS_HZ, TREBLE_HZ)
    )
    return power_to_db(bass / treble)
