"""Held-out songs: no group on both sides, and scores that mean what they say."""

from dataclasses import replace

import numpy as np
import pytest
from planted_engineer import HIGH_SHELF, LOW_SHELF, planted_pair, planted_songs

from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.engineer.learned import NumberEstimate, Prediction
from neural_mastering.engineer.traits import filled_levels_db
from neural_mastering.learning import cross_validation
from neural_mastering.learning.cross_validation import (
    MODEL,
    HeldOut,
    cross_validate,
    fold_of,
    tone_trust,
    width_is_borne_out,
)
from neural_mastering.learning.words import quality_words


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


@pytest.mark.usefixtures("quick")
def test_three_songs_that_agree_do_not_make_the_spread_of_a_fourth_absurd() -> None:
    pairs = [planted_pair(song, str(i), lambda _: HIGH_SHELF) for i, song in enumerate(planted_songs(4))]
    levels = (-10.0, -10.0, -10.0, -11.6)
    pairs = [
        replace(p, move=replace(p.move, loudness_lufs=level)) for p, level in zip(pairs, levels, strict=True)
    ]
    found = cross_validate(pairs, [str(i) for i in range(4)])
    assert found is not None
    assert 0.9 < found.spread_factor["loudness_lufs"] < 2.0  # errors of 0.9 LU, where 0.8 LU was expected


@pytest.mark.usefixtures("quick")
def test_tones_without_anything_in_common_are_said_to_be_worse_than_nothing() -> None:
    signs = (1.0, 1.0, 1.0, -1.0)
    pairs = [
        planted_pair(song, str(i), lambda _, sign=sign: sign * HIGH_SHELF)
        for i, (song, sign) in enumerate(zip(planted_songs(4), signs, strict=True))
    ]
    found = cross_validate(pairs, [str(i) for i in range(4)])
    assert found is not None and found.is_worse_than_nothing and found.learned.explained < -0.1
    said = " ".join(quality_words(found, 4))
    untouched_db = np.sqrt(np.mean([_rms(pair.move.curve_db) ** 2 for pair in pairs]))
    assert f"({found.learned.error_db:.2f} dB) than no change at all ({untouched_db:.2f} dB)" in said
    assert "%" not in said.split("Of what differs")[0]


def _rms(curve_db: np.ndarray) -> float:
    return float(np.sqrt(np.mean(curve_db[cross_validation.BROAD] ** 2)))


def _held_out(predicted: np.ndarray, actual: np.ndarray, widths: np.ndarray | None = None) -> list[HeldOut]:
    """Songs whose moves and predictions are multiples of one curve, around an average of nothing."""
    songs = []
    for i, song in enumerate(planted_songs(len(actual), seed=7)):
        pair = planted_pair(song, str(i), lambda _: np.zeros(len(HIGH_SHELF)))
        pair = replace(pair, move=replace(pair.move, curve_db=actual[i] * HIGH_SHELF))
        numbers = {"width_db": NumberEstimate(pair.move.width_db if widths is None else widths[i], 1.0)}
        curves = {MODEL: predicted[i] * HIGH_SHELF, "average EQ": 0.0 * HIGH_SHELF}
        prediction = Prediction(curves[MODEL], HIGH_SHELF, Gaussian.of(HIGH_SHELF, np.eye(29)), numbers)
        songs.append(HeldOut(pair, curves, prediction, {}))
    return songs


def test_tone_is_trusted_as_far_as_it_comes_true_for_groups_that_were_held_out() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.standard_normal(40)
    groups = [str(i // 2) for i in range(40)]
    exact = tone_trust(_held_out(predicted, 0.6 * predicted), groups)
    assert exact == pytest.approx(0.6, abs=1e-6)
    assert tone_trust(_held_out(predicted, -0.6 * predicted), groups) == 0.0
    assert tone_trust(_held_out(0.0 * predicted, predicted), groups) == 0.0
    noisy = [tone_trust(_held_out(predicted, rng.standard_normal(40)), groups) for _ in range(20)]
    assert np.mean(noisy) < 0.1
    # by hand: the share, its error from sums of groups, and the shrinkage
    actual = 0.6 * predicted + 0.3 * rng.standard_normal(40)
    size, shared = predicted**2, predicted * actual
    share = shared.sum() / size.sum()
    error = np.sqrt(((shared - share * size).reshape(20, 2).sum(axis=1) ** 2).sum()) / size.sum()
    assert tone_trust(_held_out(predicted, actual), groups) == pytest.approx(
        share * (1.0 - (error / share) ** 2)
    )


def test_a_width_is_imposed_only_where_it_is_nearer_than_leaving_it_alone() -> None:
    groups = [str(i) for i in range(20)]
    nothing = np.zeros(20)
    songs = _held_out(nothing, nothing)
    assert width_is_borne_out(songs, groups)  # planted: every master is 1 dB wider, and predicted so
    own = np.array([s.pair.features.width_db for s in songs])
    assert not width_is_borne_out(_held_out(nothing, nothing, own), groups)
    assert not width_is_borne_out(_held_out(nothing, nothing, own - 1.0), groups)
