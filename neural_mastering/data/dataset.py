"""Items of training and evaluation: aligned segments of both sides of a song."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from neural_mastering.chance import seed_of
from neural_mastering.data.augment import PairedAugment
from neural_mastering.data.song import Song


class Item(TypedDict):
    """One segment.

    Attributes:
        input, target: (2, time), float32, full scale ±1; mono files have two equal channels.
        seed: 63 bits, this item's own; what the model draws for it comes from here.
        song: index into the data set's songs.
        start: first sample of the segment in the song.
    """

    input: Float[Tensor, "channel time"]
    target: Float[Tensor, "channel time"]
    seed: int
    song: int
    start: int


class TrainingCrops(Dataset[Item]):
    """Random crops that are a function of (seed, epoch, index) alone.

    A song of n segments' length owns n (rounded, at least 1) of the `len` items, so that songs are drawn in
    proportion to their length. Index i beyond the length means another crop of item i mod len. Each start is
    uniform over the audible ones.

    Args:
        songs: none shorter than a segment.
        segment: length of an item in samples.
        seed: of all draws.
        silence_db: crops with an RMS level below this on either side are not drawn.
        augment: optional; applied to both sides alike.
    """

    def __init__(
        self,
        songs: Sequence[Song],
        segment: int,
        seed: int,
        silence_db: float = -60.0,
        augment: PairedAugment | None = None,
    ) -> None:
        self.songs = tuple(songs)
        self.segment = segment
        self.seed = seed
        self.augment = augment
        self._starts = [song.random_starts(segment, silence_db) for song in self.songs]
        counts = [max(1, round(song.frames / segment)) for song in self.songs]
        self._owner = np.repeat(np.arange(len(self.songs)), counts)

    def __len__(self) -> int:
        return len(self._owner)

    def __getitem__(self, key: tuple[int, int]) -> Item:
        """The item of (epoch, index)."""
        epoch, index = key
        seed = seed_of(self.seed, epoch, index)
        song_index = int(self._owner[index % len(self)])
        start = self._start(song_index, seed)
        item = read_item(self.songs[song_index], song_index, start, self.segment, seed)
        if self.augment is not None:
            item["input"], item["target"] = self.augment(item["input"], item["target"], seed)
        return item

    def _start(self, song_index: int, seed: int) -> int:
        """A block of the energy index, then a sample within the block."""
        song, starts = self.songs[song_index], self._starts[song_index]
        block = int(starts[seed_of(seed, "block") % len(starts)])
        room = min(song.input.block_frames, song.frames - self.segment + 1 - block)
        return block + seed_of(seed, "sample") % room


class FixedSegments(Dataset[Item]):
    """The same segments each time, covering every song; see `Song.fixed_starts`."""

    def __init__(self, songs: Sequence[Song], segment: int, seed: int, silence_db: float = -60.0) -> None:
        self.songs = tuple(songs)
        self.segment = segment
        self.seed = seed
        self.places = [
            (index, int(start))
            for index, song in enumerate(self.songs)
            for start in song.fixed_starts(segment, silence_db)
        ]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Item:
        song_index, start = self.places[index]
        seed = seed_of(self.seed, "fixed", index)
        return read_item(self.songs[song_index], song_index, start, self.segment, seed)


def read_item(song: Song, song_index: int, start: int, segment: int, seed: int) -> Item:
    """Read a segment of both sides; mono becomes two equal channels."""
    sides = [torch.from_numpy(side.read(start, segment)) for side in (song.input, song.target)]
    before, after = (side.expand(2, -1).clone() if side.shape[0] == 1 else side for side in sides)
    return Item(input=before, target=after, seed=seed, song=song_index, start=start)
