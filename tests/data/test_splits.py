"""Splits by song group: a place of its own for each group, whatever else there is."""

import json
import logging
from pathlib import Path

import pytest

from neural_mastering.data.audio_file import AudioFile
from neural_mastering.data.errors import DataError
from neural_mastering.data.pairing import SongPair
from neural_mastering.data.splits import (
    Splits,
    read_splits,
    split_groups,
    split_songs,
    stored_groups,
    write_splits,
)

FILE = AudioFile(Path("x.wav"), 1, 1, 1)


def songs(count: int, group_of: int = 1, split: str = "") -> list[SongPair]:
    return [SongPair(f"song {i}", FILE, FILE, f"group {i // group_of}", split) for i in range(count)]


def parts(splits: Splits) -> list[set[str]]:
    return [set(splits.train), set(splits.validation), set(splits.test)]


@pytest.mark.parametrize("count", [2, 3, 4, 5, 10, 37, 200])
def test_every_song_is_in_one_split_and_none_that_was_asked_for_is_empty(count: int) -> None:
    for seed in range(30):
        train, validation, test = parts(split_songs(songs(count), seed, 0.2, 0.1))
        assert len(train) + len(validation) + len(test) == count == len(train | validation | test)
        assert train and validation and bool(test) == (count > 2)


def test_shares_follow_the_fractions() -> None:
    _train, validation, test = parts(split_songs(songs(4_000), 5, 0.2, 0.1))
    # 3 standard deviations of a binomial share are 0.019 and 0.014
    assert len(validation) / 4_000 == pytest.approx(0.2, abs=0.019)
    assert len(test) / 4_000 == pytest.approx(0.1, abs=0.014)


def test_the_seed_decides_and_the_order_of_files_does_not() -> None:
    first = split_songs(songs(20), seed=1)
    assert split_songs(songs(20)[::-1], seed=1) == first
    assert len({split_songs(songs(20), seed).validation for seed in range(10)}) > 5


@pytest.mark.parametrize("seed", range(5))
def test_songs_that_are_added_move_no_other(seed: int) -> None:
    """From 40 songs on nothing is borrowed with these seeds, so all stays where it is up to 2000 songs."""
    before = parts(split_songs(songs(40), seed))
    for count in (41, 60, 300, 2_000):
        for old, now in zip(before, parts(split_songs(songs(count), seed)), strict=True):
            assert old <= now


def test_a_song_added_to_a_group_joins_its_split() -> None:
    pairs = songs(60, group_of=3)
    before = split_songs(pairs, 2)
    for group in range(20):
        new = SongPair("new", FILE, FILE, f"group {group}")
        after = parts(split_songs([*pairs, new], 2))
        home = next(part for part in after if "new" in part)
        assert f"song {3 * group}" in home
        assert [part - {"new"} for part in after] == parts(before)


def test_few_groups_borrow_the_nearest_one() -> None:
    places = split_groups(["a", "b"], 0, 0.0, 0.0)
    assert set(places.values()) == {"train"}
    for seed in range(50):
        assert sorted(split_groups(["a", "b"], seed, 0.2, 0.1).values()) == ["train", "validation"]
        three = split_groups(["a", "b", "c"], seed, 0.2, 0.1)
        assert sorted(three.values()) == ["test", "train", "validation"]


def test_groups_stay_together() -> None:
    for seed in range(20):
        splits = parts(split_songs(songs(24, group_of=4), seed, 0.3, 0.2))
        groups = [{int(name.split()[1]) // 4 for name in part} for part in splits]
        assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
        assert all(groups)


def test_a_huge_group_in_validation_is_pointed_out(caplog: pytest.LogCaptureFixture) -> None:
    pairs = [SongPair(f"song {i}", FILE, FILE, "huge" if i < 18 else f"small {i}") for i in range(20)]
    seed = next(s for s in range(50) if split_groups(["huge"] * 2, s, 0.2, 0.0)["huge"] == "validation")
    with caplog.at_level(logging.WARNING):
        assert len(split_songs(pairs, seed, 0.2, 0.0).validation) >= 18
    assert "validation holds" in caplog.text and "another seed" in caplog.text


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


def summary(splits: Splits) -> dict:
    return {
        "splits": {
            name: [{"name": song, "group": f"group of {song}"} for song in getattr(splits, name)]
            for name in ("train", "validation", "test")
        }
    }


def test_a_stored_split_holds_where_the_rule_would_borrow(tmp_path: Path) -> None:
    """With few songs a new one may send a borrowed one home; with the stored split nothing ever moves."""
    moved = 0
    for seed in range(30):
        pairs = [SongPair(f"{i}", FILE, FILE, f"group of {i}") for i in range(4)]
        first = split_songs(pairs, seed)
        write_splits(tmp_path, summary(first))
        assert read_splits(tmp_path)["train"] == {song: f"group of {song}" for song in first.train}
        more = [SongPair(f"{i}", FILE, FILE, f"group of {i}") for i in range(12)]
        free = parts(split_songs(more, seed))
        kept = parts(split_songs(more, seed, stored=stored_groups(tmp_path / "splits.json")))
        assert all(old <= now for old, now in zip(parts(first), kept, strict=True))
        moved += not all(old <= now for old, now in zip(parts(first), free, strict=True))
    assert moved > 5


def test_stored_splits_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no .*splits\.json"):
        read_splits(tmp_path)
    (tmp_path / "splits.json").write_text(json.dumps({"splits": {"train": []}}))
    with pytest.raises(DataError, match=r"does not hold the splits of a run"):
        read_splits(tmp_path)
