"""Batches: every item, the same order however it is shared out."""

import pytest

from neural_mastering.data.sampler import EvaluationBatches, TrainingBatches


def epoch_of(batches: TrainingBatches, epoch: int) -> list[list[tuple[int, int]]]:
    batches.set_epoch(epoch)
    return list(batches)


@pytest.mark.parametrize(
    ("items", "batch", "passes"), [(12, 4, 1), (13, 4, 1), (5, 8, 1), (5, 12, 1), (7, 3, 4)]
)
def test_an_epoch_holds_every_item_and_only_whole_batches(items: int, batch: int, passes: int) -> None:
    batches = TrainingBatches(items, batch, seed=1, passes=passes)
    keys = epoch_of(batches, 3)
    assert len(keys) == len(batches) == -(-items * passes // batch)
    assert all(len(keys_of_batch) == batch for keys_of_batch in keys)
    flat = [index for keys_of_batch in keys for _, index in keys_of_batch]
    assert {epoch for keys_of_batch in keys for epoch, _ in keys_of_batch} == {3}
    assert len(set(flat)) == len(flat)  # an item that comes again has another index, so another crop
    counts = [sum(index % items == item for index in flat) for item in range(items)]
    assert min(counts) >= passes and max(counts) - min(counts) <= 1


def test_order_changes_with_epoch_and_seed_and_repeats_otherwise() -> None:
    first = epoch_of(TrainingBatches(40, 4, seed=1), 0)
    assert epoch_of(TrainingBatches(40, 4, seed=1), 0) == first
    shuffled = [index for batch in first for _, index in batch]
    assert shuffled != sorted(shuffled)
    for other in (epoch_of(TrainingBatches(40, 4, seed=1), 1), epoch_of(TrainingBatches(40, 4, seed=2), 0)):
        assert [index for batch in other for _, index in batch] != shuffled


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_share_the_batches_of_one(world_size: int) -> None:
    single = epoch_of(TrainingBatches(25, 2 * world_size, seed=1), 5)
    ranks = [
        epoch_of(TrainingBatches(25, 2, seed=1, rank=r, world_size=world_size), 5) for r in range(world_size)
    ]
    assert [[key for rank in ranks for key in rank[step]] for step in range(len(single))] == single
    assert {len(rank) for rank in ranks} == {len(single)}


def test_starting_in_the_middle() -> None:
    batches = TrainingBatches(25, 4, seed=1)
    whole = epoch_of(batches, 2)
    batches.first_batch = 3
    assert list(batches) == whole[3:]
    assert list(batches) == whole  # once


def test_the_same_epoch_again_for_overfitting() -> None:
    batches = TrainingBatches(25, 4, seed=1, same_every_epoch=True)
    assert epoch_of(batches, 0) == epoch_of(batches, 9)


@pytest.mark.parametrize("world_size", [1, 2, 3, 5])
def test_evaluation_has_every_item_once(world_size: int) -> None:
    ranks = [[*EvaluationBatches(13, 4, rank, world_size)] for rank in range(world_size)]
    assert sorted(index for rank in ranks for batch in rank for index in batch) == list(range(13))
    assert all(len(rank) == len(EvaluationBatches(13, 4, r, world_size)) for r, rank in enumerate(ranks))
    with pytest.raises(ValueError, match="cannot be shared by 14 processes"):
        EvaluationBatches(13, 4, 0, 14)


def test_senseless_settings() -> None:
    with pytest.raises(ValueError, match="at least 1 and rank below world_size"):
        TrainingBatches(10, 2, 0, rank=2, world_size=2)
