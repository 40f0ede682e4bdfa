"""Which items make up which batch: a function of seed and epoch, the same however it is shared out."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from neural_mastering.chance import seed_of


class TrainingBatches(Sampler[list[tuple[int, int]]]):
    """Batches of (epoch, index) keys in an order that depends on (seed, epoch) alone.

    An epoch is `passes` times all items, each time in a new order, filled up to whole batches with further
    items (their indices run on, so their crops are new). With `world_size` processes step s takes the items
    that one process with a batch of world_size · batch_size takes, the ranks in consecutive parts.

    Args:
        items: length of the data set.
        batch_size: of one process.
        seed: of the order.
        rank, world_size: of this process.
        passes: how often an epoch goes through all items.
        same_every_epoch: repeat the first epoch's batches, for overfitting on purpose.
    """

    def __init__(
        self,
        items: int,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        passes: int = 1,
        same_every_epoch: bool = False,
    ) -> None:
        if min(items, batch_size, passes, world_size) < 1 or not 0 <= rank < world_size:
            raise ValueError(
                "items, batch_size, passes and world_size must be at least 1 and rank below world_size; got "
                f"{items}, {batch_size}, {passes}, {world_size} and rank {rank}"
            )
        self.items = items
        self.batch_size = batch_size
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.passes = passes
        self.same_every_epoch = same_every_epoch
        self.epoch = 0
        self.first_batch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration goes through."""
        self.epoch = epoch

    def __len__(self) -> int:
        step = self.batch_size * self.world_size
        return -(-self.items * self.passes // step)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """The batches from number `first_batch` on, which falls back to 0 for the next iteration."""
        epoch, first = (0 if self.same_every_epoch else self.epoch), self.first_batch
        self.first_batch = 0
        orders: dict[int, np.ndarray] = {}
        for batch in range(first, len(self)):
            begin = (batch * self.world_size + self.rank) * self.batch_size
            keys = []
            for place in range(begin, begin + self.batch_size):
                number, offset = divmod(place, self.items)
                if number not in orders:
                    orders = {number: self._order(epoch, number)}
                keys.append((epoch, number * self.items + int(orders[number][offset])))
            yield keys

    def _order(self, epoch: int, number: int) -> np.ndarray:
        """The items of one pass, sorted by hash(seed, epoch, pass, item)."""
        hashes = (seed_of(self.seed, "order", epoch, number, item) for item in range(self.items))
        return np.argsort(np.fromiter(hashes, np.int64, self.items), kind="stable")


class EvaluationBatches(Sampler[list[int]]):
    """Every item once: rank r of w takes the items r, r + w, r + 2w, …; the last batch may be smaller."""

    def __init__(self, items: int, batch_size: int, rank: int = 0, world_size: int = 1) -> None:
        if items < world_size:
            raise ValueError(
                f"{items} evaluation segments cannot be shared by {world_size} processes: use fewer"
            )
        self._indices = range(rank, items, world_size)
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self._indices) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        for begin in range(0, len(self._indices), self.batch_size):
            yield list(self._indices[begin : begin + self.batch_size])
