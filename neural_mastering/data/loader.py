"""A training loader that goes on in the middle of an epoch, with exactly the batches still to come."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from neural_mastering.chance import seed_of
from neural_mastering.data.dataset import TrainingCrops
from neural_mastering.data.errors import DataError
from neural_mastering.data.sampler import TrainingBatches
from neural_mastering.data.streamed import StreamedCrops


def ignore_interrupts(worker: int) -> None:
    """Let Ctrl-C reach the main process alone, which still needs its readers to finish the running step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class ResumableLoader:
    """Batches of training crops with a state: the epoch and how many of its batches are done.

    It is an iterable of its own and not a `DataLoader`, so that a trainer does not rebuild it with another
    sampler, and it starts to read only when the first batch is asked for, since trainers ask for an
    iterator before they set the epoch. Workers read ahead, but only batches handed out count.

    Args:
        dataset: the crops.
        batches: which crops make up which batch; `set_epoch` of it, found as `sampler`, chooses the epoch.
        num_workers: processes that read; 0 reads in this process. They stay alive between epochs.
        pin_memory: for a GPU.
        processed: says how many batches of the present epoch training has finished, for a state saved while
            a step is under way; by default all handed out.
    """

    def __init__(
        self,
        dataset: TrainingCrops | StreamedCrops,
        batches: TrainingBatches,
        num_workers: int = 0,
        pin_memory: bool = False,
        processed: Callable[[], int] | None = None,
    ) -> None:
        # Not named `dataset`: trainers take what has one for a DataLoader and rebuild it for overfit_batches.
        self.crops = dataset
        self.sampler = batches
        self._processed = processed
        self._done = 0
        self._resume: dict[str, Any] | None = None
        self._loader = DataLoader(
            dataset,
            batch_sampler=batches,
            num_workers=num_workers,
            pin_memory=pin_memory,
            persistent_workers=num_workers > 0,
            worker_init_fn=ignore_interrupts,
            # Its own generator: otherwise each epoch takes a number from the global one, and a run that
            # resumes would draw other dropout masks than one that did not stop.
            generator=torch.Generator().manual_seed(batches.seed),
        )

    def __len__(self) -> int:
        """Batches in a whole epoch."""
        return len(self.sampler)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        resume, self._resume = self._resume, None
        # A state of another epoch is one whose epoch was complete.
        first = int(resume["batch"]) if resume is not None and resume["epoch"] == self.sampler.epoch else 0
        self._done = self.sampler.first_batch = first
        for batch in self._loader:
            self._done += 1
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """Epoch, finished batches and a fingerprint of what the batches are made of; plain numbers."""
        done = self._done if self._processed is None else self._processed()
        return {"epoch": self.sampler.epoch, "batch": done, "data": self._fingerprint()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let the next iteration go on after the finished batches, if it is of the state's epoch.

        Raises:
            DataError: songs, segment, seed or batch size (over all processes) are not those of the state.
        """
        if state["data"] != self._fingerprint():
            raise DataError(
                "the checkpoint was written in the middle of an epoch with other training songs, segment "
                "length, seed, or batch size × processes: restore these, or start a new run from its weights"
            )
        self._resume = dict(state)

    def close(self) -> None:
        """Stop the worker processes."""
        self._loader._iterator = None

    def _fingerprint(self) -> int:
        sampler, dataset = self.sampler, self.crops
        return seed_of(
            sampler.seed,
            sampler.items,
            sampler.batch_size * sampler.world_size,
            sampler.passes,
            dataset.seed,
            dataset.segment,
            *(part for song in dataset.songs for part in (song.name, song.frames)),
            *(() if dataset.degrader is None else (dataset.degrader.recipe,)),
        )
