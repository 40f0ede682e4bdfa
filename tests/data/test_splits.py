"""Splits by song."""

from pathlib import Path

import pytest

from neural_mastering.data.audio_file import AudioFile
from neural_mastering.data.errors import DataError
from neural_mastering.data.pairing import SongPair
from neural_mastering.data.splits import Splits, split_songs

FILE = AudioFile(Path("x.wav"), 1, 1, 1)


def songs(count: int, group_of: int = 1, split: str = "") -> list[SongPair]:
    return [SongPair(f"song {i}", FILE, FILE, f"group {i // group_of}", split) for i in range(count)]


def parts(splits: Splits) -> list[set[str]]:
    return [set(splits.train), set(splits.validation), set(splits.test)]


@pytest.mark.parametrize("count", [2, 3, 5, 10, 37, 200])
def test_every_song_is_in_one_split_and_counts_follow_the_fractions(count: int) -> None:
    for seed in range(5):
        train, validation, test = parts(split_songs(songs(count), seed, 0.2, 0.1))
        assert len(train) + len(validation) + len(test) == count == len(train | validation | test)
        assert len(validation) == max(1, round(0.2 * count))
        assert len(test) == (max(1, round(0.1 * count)) if count > 2 else 0)


def test_the_seed_decides_and_the_order_of_files_does_not() -> None:
    first = split_songs(songs(20), seed=1)
    assert split_songs(songs(20)[::-1], seed=1) == first
    assert len({split_songs(songs(20), seed).validation for seed in range(10)}) > 5


def test_a_new_song_moves_at_most_one_other_in_each_split() -> None:
    before = split_songs(songs(30), seed=3, test_fraction=0.2)
    for new in range(30, 50):
        pairs = [*songs(30), SongPair(f"song {new}", FILE, FILE, f"group {new}")]
        after = split_songs(pairs, seed=3, test_fraction=0.2)
        for old, now in zip(parts(before)[1:], parts(after)[1:], strict=True):
            assert len(old - now) <= 1


def test_groups_stay_together() -> None:
    for seed in range(20):
        splits = parts(split_songs(songs(24, group_of=4), seed, 0.3, 0.2))
        groups = [{int(name.split()[1]) // 4 for name in part} for part in splits]
        assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
        assert all(groups)


def test_a_huge_group_does_not_become_the_validation_split() -> None:
    pairs = [SongPair(f"song {i}", FILE, FILE, "huge" if i < 18 else f"small {i}") for i in range(20)]
    for seed in range(10):
        assert len(split_songs(pairs, seed, 0.2, 0.0).train) >= 18


def test_one_song_needs_the_overfitting_setting() -> None:
    with pytest.raises(DataError, match=r"1 song cannot be divided.*validation_fraction=0"):
        split_songs(songs(1), 0)
    with pytest.raises(DataError, match="4 songs in one group"):
        split_songs(songs(4, group_of=4), 0)
    assert split_songs(songs(1), 0, 0.0, 0.0) == Splits(("song 0",), ("song 0",), ())


def test_fractions_must_leave_training_songs() -> None:
    with pytest.raises(DataError, match="must leave songs for training"):
        split_songs(songs(10), 0, 0.7, 0.3)


def test_named_splits_are_taken_as_they_are() -> None:
    pairs = [*songs(3, split="train"), SongPair("v", FILE, FILE, "v", "validation")]
    assert split_songs(pairs, 0) == Splits(("song 0", "song 1", "song 2"), ("v",), ())
    with pytest.raises(DataError, match="3 training and 0 validation"):
        split_songs(songs(3, split="train"), 0)
