"""Changes that both sides of a pair undergo alike."""

import torch
from torch import Tensor

from neural_mastering.chance import seed_of, uniform
from neural_mastering.units import db_to_gain


class PairedAugment:
    """A common gain, an inverted polarity and swapped channels, each the same on input and target.

    Mastering by EQ, gain and a common residual commutes with all three, so the pair stays a true pair. No
    clipping: samples may leave ±1.

    Args:
        gain_db: the gain is uniform in ± this many dB.
        polarity: probability of inverting both channels of both sides.
        channel_swap: probability of exchanging left and right on both sides.

    Raises:
        ValueError: a negative gain range or a probability outside 0 … 1.
    """

    def __init__(self, gain_db: float = 3.0, polarity: float = 0.5, channel_swap: float = 0.5) -> None:
        if gain_db < 0.0 or not (0.0 <= polarity <= 1.0 and 0.0 <= channel_swap <= 1.0):
            raise ValueError(
                "gain_db must not be negative, polarity and channel_swap are probabilities; got "
                f"{gain_db:g}, {polarity:g} and {channel_swap:g}"
            )
        self.gain_db = gain_db
        self.polarity = polarity
        self.channel_swap = channel_swap

    def __call__(self, input: Tensor, target: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Both sides (channel, time), changed as the item's seed says, where possible in place."""
        draws = uniform(torch.tensor([seed_of(seed, "augment")]), 3)[0].tolist()
        factor = db_to_gain(self.gain_db * (2.0 * draws[0] - 1.0))
        if draws[1] < self.polarity:
            factor = -factor
        if draws[2] < self.channel_swap:
            input, target = input.flip(0), target.flip(0)
        return input.mul_(factor), target.mul_(factor)
