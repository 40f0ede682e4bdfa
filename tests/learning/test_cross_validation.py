"""Held-out songs: no group on both sides, and scores that mean what they say."""

import numpy as np
import pytest
from planted_engineer import HIGH_SHELF, LOW_SHELF, planted_pair, planted_songs

from neural_mastering.engineer.traits import filled_levels_db
from neural_mastering.learning import cross_validation
from neural_mastering.learning.cross_validation import MODEL, cross_validate, fold_of


def test_a_group_is_never_split_and_folds_are_even() -> None:
    groups = ["a"] * 7 + ["b"] * 3 + ["c"] * 3 + ["d", "e", "f"]
    folds = fold_of(groups, 4)
    by_group = {group: {f for f, g in zip(folds, groups, strict=True) if g == group} for group in groups}
    assert all(len(found) == 1 for found in by_group.values())
    assert sorted(np.bincount(folds).tolist()) == [3, 3, 3, 7]


def test_one_group_alone_cannot_be_validated() -> None:
    songs = planted_songs(5)
    pairs = [planted_pair(song, str(i), lambda _: LOW_SHELF) for i, song in enumerate(songs)]
    assert cross_validate(pairs, ["one"] * 5) is None


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Baselines and averages only: what is learned is tested elsewhere."""
    monkeypatch.setattr("neural_mastering.engineer.fit.SONG_DEPENDENT_PAIRS", 99)


@pytest.mark.usefixtures("quick")
def test_scores_are_those_of_the_formulas() -> None:
    songs = planted_songs(8)
    pairs = [
        planted_pair(song, str(i), lambda s: 2.0 * LOW_SHELF - 0.2 * filled_levels_db(s))
        for i, song in enumerate(songs)
    ]
    found = cross_validate(pairs, [str(i) for i in range(8)])
    assert found is not None and found.folds == 8
    scores = {score.name: score for score in found.scores}
    assert found.learned.name == MODEL
    assert scores["nothing"].explained == 0.0 and scores["average EQ"].dependent == 0.0
    moves = np.stack([pair.move.curve_db for pair in pairs])[:, cross_validation.BROAD]
    others = (moves.sum(axis=0) - moves) / 7.0
    expected = 1.0 - ((others - moves) ** 2).sum() / (moves**2).sum()
    assert scores["average EQ"].explained == pytest.approx(expected)
    # below ten pairs the learned engineer is the average
    assert found.learned.error_db == pytest.approx(scores["average EQ"].error_db, abs=1e-6)
    assert not found.is_song_dependent


@pytest.mark.usefixtures("quick")
def test_spread_factors_come_from_the_songs_that_were_held_out() -> None:
    songs = planted_songs(9)
    rng = np.random.default_rng(0)
    pairs = [
        planted_pair(song, str(i), lambda _: rng.standard_normal() * HIGH_SHELF)
        for i, song in enumerate(songs)
    ]
    found = cross_validate(pairs, [str(i) for i in range(9)])
    assert found is not None
    # nine songs around their average, predicted with about their own spread
    assert 0.8 < found.spread_factor["curve"] < 1.3
