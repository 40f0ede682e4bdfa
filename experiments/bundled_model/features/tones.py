"""Songs in other tones: what keeps a network from learning each of them by heart."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from experiments.bundled_model.features.mel_powers import SongMelPowers
from experiments.bundled_model.features.simulation import Simulator


class Tones:
    """How the long-term spectra of songs differ: mean and covariance in dB at a few places of the spectrum.

    With few songs a network learns each of them by heart, and what it knows about their tone is worth nothing for
    others. So a song is shown in another tone each time: tone = √(1 − share)·own + √share·drawn, with the drawn one
    from a normal distribution with the songs' mean and covariance. Mean and spread stay what they are in music, and
    there is no end of songs.

    Args:
        songs: to describe; songs of large groups count a little less.
        weights: of the songs.
        simulator: whose bands are meant.
    """

    PLACES, LOW_HZ, HIGH_HZ, SHRINKAGE = 10, 35.0, 14_500.0, 0.1

    def __init__(self, songs: Sequence[SongMelPowers], weights: Tensor, simulator: Simulator) -> None:
        places = torch.linspace(math.log(self.LOW_HZ), math.log(self.HIGH_HZ), self.PLACES)
        position = simulator.centres_hz.log().clamp(places[0], places[-1])
        near = (1.0 - (position[:, None] - places[None]).abs() / (places[1] - places[0])).clamp(min=0.0)
        self._spread = near / near.sum(dim=1, keepdim=True)  # (band, place)
        gather = near / near.sum(dim=0, keepdim=True).clamp(min=1e-6)
        levels = (
            torch.stack([10.0 * torch.log10((s.mid + s.side).mean(dim=-1) + 1e-10) for s in songs]) @ gather
        )
        levels = levels - levels.mean(dim=1, keepdim=True)
        share = weights / weights.sum()
        self.mean = share @ levels
        self.own = levels - self.mean  # (song, place)
        covariance = (self.own * share[:, None]).T @ self.own
        spread = torch.eye(self.PLACES) * covariance.diagonal().mean()
        self._root = torch.linalg.cholesky(
            (1.0 - self.SHRINKAGE) * covariance + (self.SHRINKAGE + 1e-4) * spread
        )

    def draw(self, picks: Sequence[int], share: float, generator: torch.Generator) -> Tensor:
        """What to add to songs (by number) in dB, (item, band)."""
        noise = torch.randn(len(picks), self.PLACES, generator=generator) @ self._root.T
        change = (math.sqrt(1.0 - share) - 1.0) * self.own[list(picks)] + math.sqrt(share) * noise
        return change @ self._spread.T
