"""Paired songs as a LightningDataModule."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import lightning
from torch.utils.data import DataLoader

from neural_mastering.data.augment import PairedAugment
from neural_mastering.data.cache import AudioCache
from neural_mastering.data.dataset import FixedSegments, TrainingCrops
from neural_mastering.data.degradation.preset import load_preset
from neural_mastering.data.degradation.segment import SegmentDegrader
from neural_mastering.data.demo import default_demo_folder, make_demo_pairs
from neural_mastering.data.errors import DataError
from neural_mastering.data.library import SongLibrary, open_library
from neural_mastering.data.loader import ResumableLoader, ignore_interrupts
from neural_mastering.data.sampler import EvaluationBatches, TrainingBatches
from neural_mastering.data.song import CachedSong
from neural_mastering.data.splits import stored_groups


class PairedDataModule(lightning.LightningDataModule):
    """Training crops and fixed evaluation segments of `root/unmastered/*` and `root/mastered/*`.

    Batches hold `input` and `target` (batch, 2, time), `seed`, `song` and `start` (batch,). Processes share
    the items without duplicates or gaps; the trainer must not add samplers of its own
    (`use_distributed_sampler=False`).

    Args:
        root: folder of the pairs, see `find_pairs`.
        sample_rate: of the model, in Hz; files at other rates are resampled once.
        segment_s: length of an item in seconds.
        batch_size: of one process.
        evaluation_batch_size: the same for validation and test; `batch_size` by default.
        num_workers: reading processes for training; evaluation takes as many.
        pin_memory: for a GPU.
        seed: of splits, order, crops and the items' own seeds.
        validation_fraction: of the songs, at least one; 0 validates on the training songs.
        test_fraction: of the songs; 0 for none.
        passes: how often an epoch goes through the songs.
        silence_db: segments below this RMS level (dBFS) on either side are skipped.
        short_songs: "refuse" or "skip" songs shorter than a segment.
        same_crops_every_epoch: repeat the first epoch, for overfitting on purpose.
        augment: optional; on training crops.
        cache_dir: of resampled files; see `default_cache_folder`.
        preset: light, medium, heavy or a YAML file: `root` is a folder of released music (`find_music`), and
            every input is made from its target while training, see `SegmentDegrader`.
        split_file: `splits.json` of an earlier run, whose groups keep their splits.
        check: refuse pairs that are not aligned; measured once, see `require_sound_pairs`.

    Raises:
        DataError: when the data are prepared; see `open_library`. Settings that make no sense: at once.
    """

    def __init__(
        self,
        root: str | Path,
        sample_rate: int = 44_100,
        segment_s: float = 5.0,
        batch_size: int = 8,
        evaluation_batch_size: int | None = None,
        num_workers: int = 0,
        pin_memory: bool = False,
        seed: int = 0,
        validation_fraction: float = 0.2,
        test_fraction: float = 0.1,
        passes: int = 1,
        silence_db: float = -60.0,
        short_songs: Literal["refuse", "skip"] = "refuse",
        same_crops_every_epoch: bool = False,
        augment: PairedAugment | None = None,
        cache_dir: str | Path | None = None,
        preset: str | None = None,
        split_file: str | Path | None = None,
        check: bool = True,
    ) -> None:
        super().__init__()
        if round(segment_s * sample_rate) < 1 or batch_size < 1 or num_workers < 0 or passes < 1:
            raise DataError(
                "segment_s, sample_rate, batch_size and passes must be positive, num_workers not "
                f"negative; got {segment_s}, {sample_rate}, {batch_size}, {passes} and {num_workers}"
            )
        self.root = Path(root).expanduser()
        self.segment = round(segment_s * sample_rate)
        self.batch_size = batch_size
        self.evaluation_batch_size = evaluation_batch_size or batch_size
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.seed = seed
        self.passes = passes
        self.silence_db = silence_db
        self.same_crops_every_epoch = same_crops_every_epoch
        self.augment = augment
        self._cache = AudioCache(cache_dir, sample_rate)
        self._fractions = (validation_fraction, test_fraction)
        self._short_songs: Literal["refuse", "skip"] = short_songs
        self._degrader = None if preset is None else SegmentDegrader(load_preset(preset), seed, sample_rate)
        self._split_file = split_file
        self._check = check
        self._library: SongLibrary | None = None
        self._train_loader: ResumableLoader | None = None

    def prepare_data(self) -> None:
        """Fill the cache, in one process per machine."""
        self.setup()

    def setup(self, stage: str | None = None) -> None:
        """Open the library; from the cache, where it is filled."""
        if self._library is None:
            self._library = open_library(
                self.root,
                self._cache,
                self.segment,
                self.seed,
                *self._fractions,
                self._short_songs,
                None if self._split_file is None else stored_groups(self._split_file),
                released=self._degrader is not None,
                check=self._check,
            )

    def keep_splits(self, split_file: str | Path) -> None:
        """Let the groups of a stored split keep their places; before the library is opened."""
        self._split_file = split_file

    def state_dict(self) -> dict[str, Any]:
        """The songs and groups of each split, so that a checkpoint says what it was trained on."""
        return {"splits": self.library.summary()["splits"]}

    @property
    def library(self) -> SongLibrary:
        """The songs of each split; prepares them where this has not happened yet."""
        self.setup()
        assert self._library is not None
        return self._library

    @property
    def train_songs(self) -> Sequence[CachedSong]:
        """Songs to learn from; also for a baseline that averages over them."""
        return self.library.splits["train"]

    @property
    def validation_songs(self) -> Sequence[CachedSong]:
        """Songs to choose a model by."""
        return self.library.splits["validation"]

    @property
    def test_songs(self) -> Sequence[CachedSong]:
        """Songs that nothing is chosen by; may be empty."""
        return self.library.splits["test"]

    def summary(self) -> dict[str, Any]:
        """What is trained and evaluated on, as plain containers."""
        sets = {
            "train": len(self.train_dataset()),
            "validation": len(self.evaluation_dataset("validation")),
            "test": len(self.evaluation_dataset("test")),
        }
        segment_s = self.segment / self._cache.sample_rate
        degraded = {} if self._degrader is None else {"preset": self._degrader.preset.name}
        return {
            **self.library.summary(),
            "seed": self.seed,
            "segment_s": segment_s,
            "items": sets,
            **degraded,
        }

    def train_dataset(self) -> TrainingCrops:
        """The training crops."""
        return TrainingCrops(
            self.train_songs, self.segment, self.seed, self.silence_db, self.augment, self._degrader
        )

    def evaluation_dataset(self, split: Literal["train", "validation", "test"]) -> FixedSegments:
        """The fixed segments of a split."""
        songs = self.library.splits[split]
        return FixedSegments(songs, self.segment, self.seed, self.silence_db, self._degrader)

    def train_dataloader(self) -> ResumableLoader:
        """Training batches; after a resume those that were still to come."""
        dataset = self.train_dataset()
        self._train_loader = ResumableLoader(
            dataset, self._batches(dataset), self.num_workers, self.pin_memory, self._processed_batches()
        )
        return self._train_loader

    def val_dataloader(self) -> Iterable[Any]:
        """All validation segments, shared out over the processes."""
        return self._evaluation_loader("validation")

    def test_dataloader(self) -> Iterable[Any]:
        """All test segments, shared out over the processes.

        Raises:
            DataError: there are no test songs.
        """
        if not self.test_songs:
            raise DataError(
                "there are no test songs: set test_fraction above 0, with at least 3 songs or groups"
            )
        return self._evaluation_loader("test")

    def teardown(self, stage: str | None = None) -> None:
        """Stop the reading processes."""
        if self._train_loader is not None:
            self._train_loader.close()

    def _evaluation_loader(self, split: Literal["validation", "test"]) -> DataLoader[Any]:
        dataset = self.evaluation_dataset(split)
        rank, world_size = self._place()
        if len(dataset) < world_size:
            raise DataError(
                f"{len(dataset)} {split} segments cannot be shared by {world_size} processes: use fewer"
            )
        batches = EvaluationBatches(len(dataset), self.evaluation_batch_size, rank, world_size)
        return DataLoader(
            dataset,
            batch_sampler=batches,
            num_workers=self.num_workers,
            pin_memory=self.pin_memory,
            persistent_workers=self.num_workers > 0,
            worker_init_fn=ignore_interrupts,
        )

    def _batches(self, dataset: Any) -> TrainingBatches:
        """Which crops of `train_dataset` make up which batch."""
        return TrainingBatches(len(dataset), **self._shares())

    def _shares(self) -> dict[str, Any]:
        """How the batches are made and shared out, by the names that `TrainingBatches` has for it."""
        rank, world_size = self._place()
        return {
            "batch_size": self.batch_size,
            "seed": self.seed,
            "rank": rank,
            "world_size": world_size,
            "passes": self.passes,
            "same_every_epoch": self.same_crops_every_epoch,
        }

    def _place(self) -> tuple[int, int]:
        """Rank and number of processes."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def _processed_batches(self) -> Callable[[], int] | None:
        """Counts the batches of the epoch that are finished; a state saved within a step leaves it out."""
        trainer = self.trainer
        if trainer is None:
            return None
        return lambda: int(trainer.fit_loop.epoch_loop.batch_progress.current.processed)  # pyright: ignore[reportAttributeAccessIssue]


def demo_data(folder: str | Path | None = None, **settings: Any) -> PairedDataModule:
    """The bundled demo songs, written as pairs into `folder` on first use; other settings as above."""
    return PairedDataModule(make_demo_pairs(folder or default_demo_folder()), **settings)


def degraded_data(root: str | Path, preset: str = "medium", **settings: Any) -> PairedDataModule:
    """Released music in `root`, degraded while training at the strength of a preset; other settings as above."""
    return PairedDataModule(root, preset=preset, **settings)
