"""Paired music: files on disk, split by song, cached, cut into segments, and made up into batches.

The data module is imported on first use, since it brings Lightning with it and the rest does not.
"""

from typing import TYPE_CHECKING, Any

from neural_mastering.data.augment import PairedAugment
from neural_mastering.data.cache import AudioCache, default_cache_folder
from neural_mastering.data.dataset import FixedSegments, Item, TrainingCrops
from neural_mastering.data.degrade import DegradationRule
from neural_mastering.data.demo import default_demo_folder, make_demo_pairs
from neural_mastering.data.errors import DataError
from neural_mastering.data.library import SongLibrary, open_library
from neural_mastering.data.loader import ResumableLoader
from neural_mastering.data.pairing import SongPair, find_pairs
from neural_mastering.data.sampler import EvaluationBatches, TrainingBatches
from neural_mastering.data.song import CachedSong
from neural_mastering.data.splits import Splits, split_songs

if TYPE_CHECKING:
    from neural_mastering.data.datamodule import PairedDataModule, degraded_data, demo_data
    from neural_mastering.data.streamed_module import StreamedDataModule

__all__ = [
    "AudioCache",
    "CachedSong",
    "DataError",
    "DegradationRule",
    "EvaluationBatches",
    "FixedSegments",
    "Item",
    "PairedAugment",
    "PairedDataModule",
    "ResumableLoader",
    "SongLibrary",
    "SongPair",
    "Splits",
    "StreamedDataModule",
    "TrainingBatches",
    "TrainingCrops",
    "default_cache_folder",
    "default_demo_folder",
    "degraded_data",
    "demo_data",
    "find_pairs",
    "make_demo_pairs",
    "open_library",
    "split_songs",
]


def __getattr__(name: str) -> Any:
    if name in ("PairedDataModule", "degraded_data", "demo_data"):
        from neural_mastering.data import datamodule  # loads Lightning

        return getattr(datamodule, name)
    if name == "StreamedDataModule":
        from neural_mastering.data import streamed_module  # loads Lightning

        return getattr(streamed_module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
