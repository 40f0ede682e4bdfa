"""Windows of songs with dynamics and width degraded, before any filter."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Windows:
    """Windows of songs with dynamics and width degraded, before any filter.

    Attributes:
        features: (item, feature) long-term features as `LogMel.features` gives them.
        k_levels: (item, band) K-weighted powers by mel band, summing to 1.
        song_lufs: (item,) of the song.
        index: (item,) number of the song in its list.
        others: (item, 3) what no filter undoes: width in dB, ratios of the upward and the downward expansion.
    """

    features: Tensor
    k_levels: Tensor
    song_lufs: Tensor
    index: Tensor
    others: Tensor

    def __len__(self) -> int:
        return self.features.shape[0]

    def of_songs(self, chosen: Sequence[int]) -> "Windows":
        """The windows of some songs, numbered by their place in `chosen`."""
        place = torch.full((int(self.index.max()) + 1,), -1)
        place[list(chosen)] = torch.arange(len(chosen))
        index = place[self.index]
        keep = index >= 0
        return Windows(
            self.features[keep], self.k_levels[keep], self.song_lufs[keep], index[keep], self.others[keep]
        )

    def joined(self, other: "Windows", songs: int) -> "Windows":
        """These windows, of so many songs, and those of other songs, numbered after them."""
        return Windows(
            torch.cat((self.features, other.features)),
            torch.cat((self.k_levels, other.k_levels)),
            torch.cat((self.song_lufs, other.song_lufs)),
            torch.cat((self.index, other.index + songs)),
            torch.cat((self.others, other.others)),
        )
