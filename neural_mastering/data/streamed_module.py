"""A packed library as a LightningDataModule."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from neural_mastering.data.datamodule import PairedDataModule
from neural_mastering.data.errors import DataError
from neural_mastering.data.library import SongLibrary
from neural_mastering.data.splits import CHECKPOINT_KEY, SPLITS
from neural_mastering.data.streamed import StreamedBatches, StreamedCrops, StreamedSegments
from neural_mastering.data.streamed_folder import StreamedFolder, is_packed


class StreamedDataModule(PairedDataModule):
    """Crops and segments of a library that `nm-data pack` wrote: `root/train`, `root/validation`, `root/test`.

    Batches, seeds, order and resume are those of `PairedDataModule`; the library may lie in an object store and be
    larger than the disk.

    Args:
        root: folder or URL.
        max_cache_gb: of chunks kept on this machine, for each split.
        settings: as in `PairedDataModule`, without those about splits, which were made when the library was packed.

    Raises:
        DataError: when the data are prepared: no packed library, another sample rate, LitData is not installed.
    """

    def __init__(self, root: str | Path, max_cache_gb: float = 20.0, **settings: Any) -> None:
        super().__init__(root, **settings)
        self._where, self._most_bytes = str(root).rstrip("/"), round(max_cache_gb * 1e9)
        self._folders: dict[str, StreamedFolder] = {}

    @property
    def state_key(self) -> str:
        """Where a checkpoint keeps the splits: where every data module does."""
        return CHECKPOINT_KEY

    def setup(self, stage: str | None = None) -> None:
        """Read what the library says of itself."""
        if self._library is not None:
            return
        self._folders = {"train": self._open("train")}
        for split in ("validation", "test"):
            if is_packed(f"{self._where}/{split}"):
                self._folders[split] = self._open(split)
        songs = {split: self._folders[split].songs if split in self._folders else () for split in SPLITS}
        self._library = SongLibrary(self.root, self._cache.sample_rate, songs)

    def train_dataset(self) -> StreamedCrops:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The training crops."""
        self.setup()
        return StreamedCrops(self._folders["train"], self.segment, self.seed, self.augment, self._degrader)

    def evaluation_dataset(self, split: Literal["train", "validation", "test"]) -> StreamedSegments:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The fixed segments of a split; without a validation split those of the training songs."""
        self.setup()
        folder = self._folders.get(split, self._folders["train"])
        return StreamedSegments(folder, self.segment, self.seed, self._degrader)

    def _batches(self, dataset: Any) -> StreamedBatches:
        return StreamedBatches(dataset.folder.chunk_ends, **self._shares())

    def _open(self, split: str) -> StreamedFolder:
        place = f"{self._where}/{split}"
        named = hashlib.blake2b(place.encode(), digest_size=8).hexdigest()
        folder = StreamedFolder(place, self._cache.folder / f"streamed-{named}", self._most_bytes)
        if folder.sample_rate != self._cache.sample_rate:
            raise DataError(
                f"{place} was packed at {folder.sample_rate} Hz, the model works at {self._cache.sample_rate} Hz: "
                "pack it again at that rate"
            )
        return folder
