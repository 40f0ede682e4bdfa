"""Training items of a packed library: crops within its windows, in an order that suits its chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from neural_mastering.chance import seed_of
from neural_mastering.data.augment import PairedAugment
from neural_mastering.data.dataset import Item
from neural_mastering.data.degradation.segment import SegmentDegrader
from neural_mastering.data.errors import DataError
from neural_mastering.data.sampler import TrainingBatches
from neural_mastering.data.streamed_folder import StreamedFolder, StreamedSong

MIXED_CHUNKS = 8
"""Chunks whose items are mixed: what a process needs on its disk at once."""


class StreamedCrops(Dataset[Item]):
    """Random crops of a packed library that are a function of (seed, epoch, index) alone.

    Args:
        folder: the library.
        segment: length of a crop in samples, at most that of a window.
        seed: of all draws.
        augment: optional; applied to both sides alike.
        degrader: makes the input out of the target; needed where the library holds one side.

    Raises:
        DataError: the segment is longer than a window.
    """

    def __init__(
        self,
        folder: StreamedFolder,
        segment: int,
        seed: int,
        augment: PairedAugment | None = None,
        degrader: SegmentDegrader | None = None,
    ) -> None:
        if segment > folder.window:
            raise DataError(
                f"a segment of {segment} samples is longer than the windows of {folder.place} ({folder.window}): "
                "set a smaller segment_s, or pack longer windows"
            )
        self.folder, self.segment, self.seed = folder, segment, seed
        self.augment, self.degrader = augment, degrader

    @property
    def songs(self) -> Sequence[StreamedSong]:
        """Of the library."""
        return self.folder.songs

    def __len__(self) -> int:
        return len(self.folder)

    def __getitem__(self, key: tuple[int, int]) -> Item:
        """The item of (epoch, index)."""
        epoch, index = key
        seed = seed_of(self.seed, epoch, index)
        room = self.folder.window - self.segment + 1
        item = read_window(self.folder, index % len(self), seed_of(seed, "sample") % room, self.segment, seed)
        if self.degrader is not None:
            item["input"] = self.degrader.of_item(item["target"], self.songs[item["song"]].lufs, seed)
        if self.augment is not None:
            item["input"], item["target"] = self.augment(item["input"], item["target"], seed)
        return item


class StreamedSegments(Dataset[Item]):
    """The beginning of every window, the same each time.

    Args:
        folder, segment, seed: as in `StreamedCrops`.
        degrader: optional; makes the input out of the target, with the draw that belongs to the song's name.
    """

    def __init__(
        self, folder: StreamedFolder, segment: int, seed: int, degrader: SegmentDegrader | None = None
    ) -> None:
        self.folder, self.segment, self.seed, self.degrader = folder, segment, seed, degrader

    @property
    def songs(self) -> Sequence[StreamedSong]:
        """Of the library."""
        return self.folder.songs

    def __len__(self) -> int:
        return len(self.folder)

    def __getitem__(self, index: int) -> Item:
        item = read_window(self.folder, index, 0, self.segment, seed_of(self.seed, "fixed", index))
        if self.degrader is not None:
            song = self.songs[item["song"]]
            item["input"] = self.degrader.of_track(item["target"], song.lufs, song.name)
        return item

    def spread(self, count: int) -> Iterator[Item]:
        """At most `count` of the items, evenly spread over all."""
        for place in range(min(count, len(self))):
            yield self[place * len(self) // min(count, len(self))]


class StreamedBatches(TrainingBatches):
    """As `TrainingBatches`, in an order that reads a few chunks at a time.

    The chunks are shuffled by hash(seed, epoch, pass, chunk), and the items of `MIXED_CHUNKS` of them at a time by
    hash(seed, epoch, pass, item). Like every order here, it is the same for any number of processes.

    Args:
        chunk_ends: (chunk,) number of items up to the end of each chunk.
        batch_size, seed, rank, world_size, passes, same_every_epoch: as in `TrainingBatches`.
    """

    def __init__(
        self,
        chunk_ends: np.ndarray,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        passes: int = 1,
        same_every_epoch: bool = False,
    ) -> None:
        super().__init__(int(chunk_ends[-1]), batch_size, seed, rank, world_size, passes, same_every_epoch)
        self._ends = chunk_ends

    def _order(self, epoch: int, number: int) -> np.ndarray:
        chunks = len(self._ends)
        by_chunk = np.fromiter(
            (seed_of(self.seed, "chunk", epoch, number, c) for c in range(chunks)), np.int64, chunks
        )
        place = np.empty(chunks, np.int64)
        place[np.argsort(by_chunk, kind="stable")] = np.arange(chunks)
        chunk_of = np.searchsorted(self._ends, np.arange(self.items), side="right")
        group = place[chunk_of] // MIXED_CHUNKS
        hashes = (seed_of(self.seed, "order", epoch, number, item) for item in range(self.items))
        return np.lexsort((np.fromiter(hashes, np.int64, self.items), group))


def read_window(folder: StreamedFolder, number: int, offset: int, segment: int, seed: int) -> Item:
    """A segment of a window; mono becomes two equal channels, and one side stands for both where there is one."""
    packed = folder[number]
    channels = int(packed["channels"])

    def side(name: str) -> torch.Tensor:
        audio = np.frombuffer(packed[name], "<f4").reshape(channels, folder.window)[
            :, offset : offset + segment
        ]
        found = torch.from_numpy(np.array(audio, np.float32))
        return found.expand(2, -1).clone() if channels == 1 else found

    after = side("target")
    before = side("input") if "input" in packed else after.clone()
    return Item(
        input=before, target=after, seed=seed, song=int(packed["song"]), start=int(packed["start"]) + offset
    )
