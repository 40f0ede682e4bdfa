"""The verdict on songs that a model did not learn from: ratios by hand, and words that follow from them."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from neural_mastering.evaluation.comparison import Row
from neural_mastering.evaluation.unheard import HeldOutSongs, error_removed, unheard_songs, verdict


@dataclass(frozen=True)
class _Song:
    name: str
    group: str


@dataclass(frozen=True)
class _Segments:
    songs: tuple[_Song, ...]


@dataclass(frozen=True)
class _Data:
    train_songs: tuple[_Song, ...]
    validation_songs: tuple[_Song, ...]
    test_songs: tuple[_Song, ...]

    def evaluation_dataset(self, split: str) -> _Segments:
        return _Segments(getattr(self, f"{split}_songs"))


SONGS = tuple(_Song(f"s{i}", f"g{i // 2}") for i in range(6))
GROUPS = {song.name: song.group for song in SONGS}


def _row(name: str, *errors: float) -> Row:
    per_song = {song.name: error for song, error in zip(SONGS, errors, strict=True)}
    return Row(name, sum(errors) / 6, {}, 0, 6, per_song)


def _held_out(split: str = "test") -> HeldOutSongs:
    return HeldOutSongs(cast(Any, split), cast(Any, _Segments(SONGS)))


def test_the_share_of_the_error_is_a_mean_over_songs_with_an_interval_over_groups() -> None:
    model, nothing = (
        _row("model", 0.5, 0.5, 1.0, 1.0, 3.0, 3.0),
        _row("identity", 1.0, 1.0, 2.0, 2.0, 4.0, 4.0),
    )
    removed = error_removed(model, nothing, GROUPS)
    assert removed.mean == pytest.approx((0.5 + 0.5 + 0.25) / 3)
    assert (removed.songs, removed.groups) == (6, 3)
    assert removed.low == pytest.approx(0.25) and removed.high == pytest.approx(0.5)


def test_a_model_that_is_worse_than_nothing_is_called_so() -> None:
    rows = [_row("identity", *[1.0] * 6), _row("average EQ*", *[0.8] * 6), _row("phase 1b", *[1.4] * 6)]
    first, second = verdict(rows, _held_out())
    assert first.startswith("Warning: phase 1b is worse than doing nothing") and "40 % larger" in first
    assert second.startswith("Warning: phase 1b is worse than the average EQ") and "75 % larger" in second


def test_what_may_be_chance_is_called_so() -> None:
    nothing, average = _row("identity", *[1.0] * 6), _row("average EQ*", *[1.0] * 6)
    sure, unsure = _row("m", *[0.5] * 6), _row("m", 0.2, 0.2, 1.1, 1.1, 1.1, 1.1)
    assert "chance" not in verdict([nothing, average, sure], _held_out())[0]
    assert "may be chance" in verdict([nothing, average, unsure], _held_out())[0]


def test_songs_that_chose_the_checkpoint_or_were_learned_from_are_named() -> None:
    rows = [_row("identity", *[1.0] * 6), _row("average EQ*", *[0.8] * 6), _row("m", *[0.5] * 6)]
    assert "chosen by these songs" in verdict(rows, _held_out("validation"))[-1]
    assert verdict(rows, _held_out("train")) == [
        "No song was held out, so nothing is known about songs that the model has not heard."
    ]
    one, two, three = SONGS[:2], SONGS[2:4], SONGS[4:]
    assert unheard_songs(cast(Any, _Data(one, two, three))).split == "test"
    assert unheard_songs(cast(Any, _Data(one, two, ()))).split == "validation"
    assert unheard_songs(cast(Any, _Data(one, one, ()))).split == "train"
