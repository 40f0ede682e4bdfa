"""Items of training and evaluation: aligned segments of both sides of a song."""

from collections.abc import Iterator, Sequence
from typing import TypedDict

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from neural_mastering.chance import seed_of
from neural_mastering.data.augment import PairedAugment
from neural_mastering.data.degradation.segment import SegmentDegrader
from neural_mastering.data.song import CachedSong


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
        degrader: optional; makes the input out of the target, with a draw of its own for each item.
    """

    def __init__(
        self,
        songs: Sequence[CachedSong],
        segment: int,
        seed: int,
        silence_db: float = -60.0,
        augment: PairedAugment | None = None,
        degrader: SegmentDegrader | None = None,
    ) -> None:
        # Kept as it is: a table of songs is far smaller than the songs.
        self.songs = songs
        self.segment = segment
        self.seed = seed
        self.silence_db = silence_db
        self.augment = augment
        self.degrader = degrader
        counts = np.zeros(len(songs), dtype=np.int64)
        for index, song in enumerate(songs):
            song.check_audible(segment, silence_db)
            counts[index] = max(1, round(song.frames / segment))
        self._ends = np.cumsum(counts)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, key: tuple[int, int]) -> Item:
        """The item of (epoch, index)."""
        epoch, index = key
        seed = seed_of(self.seed, epoch, index)
        song_index = int(np.searchsorted(self._ends, index % len(self), side="right"))
        song = self.songs[song_index]
        item = read_item(song, song_index, self._start(song, seed), self.segment, seed)
        if self.degrader is not None:
            item["input"] = self.degrader.of_item(item["target"], song.target.lufs, seed)
        if self.augment is not None:
            item["input"], item["target"] = self.augment(item["input"], item["target"], seed)
        return item

    def _start(self, song: CachedSong, seed: int) -> int:
        """A block of the energy index, then a sample within the block."""
        starts = song.random_starts(self.segment, self.silence_db)
        block = int(starts[seed_of(seed, "block") % len(starts)])
        room = min(song.input.block_frames, song.frames - self.segment + 1 - block)
        return block + seed_of(seed, "sample") % room


class FixedSegments(Dataset[Item]):
    """The same segments each time, covering every song; see `CachedSong.fixed_starts`.

    Args:
        songs: none shorter than a segment.
        segment: length of an item in samples.
        seed: of the items' own seeds.
        silence_db: segments with an RMS level below this on either side are left out.
        degrader: optional; makes the input out of the target, with the draw that belongs to the song's name.
    """

    def __init__(
        self,
        songs: Sequence[CachedSong],
        segment: int,
        seed: int,
        silence_db: float = -60.0,
        degrader: SegmentDegrader | None = None,
    ) -> None:
        self.songs = songs
        self.segment = segment
        self.seed = seed
        self.degrader = degrader
        starts = [song.fixed_starts(segment, silence_db) for song in songs]
        self._song = np.repeat(np.arange(len(songs), dtype=np.int32), [len(part) for part in starts])
        self._start = np.concatenate([np.zeros(0, dtype=np.int64), *starts])

    @property
    def places(self) -> list[tuple[int, int]]:
        """Song and start of each item."""
        return list(zip(self._song.tolist(), self._start.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self._start)

    def __getitem__(self, index: int) -> Item:
        song_index, start = int(self._song[index]), int(self._start[index])
        song, seed = self.songs[song_index], seed_of(self.seed, "fixed", index)
        item = read_item(song, song_index, start, self.segment, seed)
        if self.degrader is not None:
            item["input"] = self.degrader.of_track(item["target"], song.target.lufs, song.name)
        return item

    def spread(self, count: int) -> Iterator[Item]:
        """At most `count` of the items, evenly spread over all."""
        for place in range(min(count, len(self))):
            yield self[place * len(self) // min(count, len(self))]


def read_item(song: CachedSong, song_index: int, start: int, segment: int, seed: int) -> Item:
    """Read a segment of both sides; mono becomes two equal channels.

    Of released music, whose sides are one file, the input is a copy of the target.
    """
    after = torch.from_numpy(song.target.read(start, segment))
    before = after.clone() if song.is_released else torch.from_numpy(song.input.read(start, segment))
    before, after = (side.expand(2, -1).clone() if side.shape[0] == 1 else side for side in (before, after))
    return Item(input=before, target=after, seed=seed, song=song_index, start=start)
