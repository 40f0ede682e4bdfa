"""One wrong pair among many: it is found, named and left out, and what is left is what was there without it."""

import numpy as np
import pytest
from planted_engineer import HIGH_SHELF, LOW_SHELF, Curve, centred, planted_pair, planted_songs

from neural_mastering.dsp.third_octaves import BROAD
from neural_mastering.engineer.features import SongFeatures
from neural_mastering.engineer.traits import filled_levels_db
from neural_mastering.learning.outliers import DEGREES_OF_FREEDOM, student_weights
from neural_mastering.learning.validated_fit import fit_validated


def _policy(song: SongFeatures) -> Curve:
    return LOW_SHELF - 0.3 * filled_levels_db(song)


def _error_db(engineer, songs: list[SongFeatures]) -> float:
    found = np.stack([engineer.predict(song).curve_db for song in songs])[:, BROAD]
    true = np.stack([centred(_policy(song)) for song in songs])[:, BROAD]
    return float(np.sqrt(((found - true) ** 2).mean()))


def test_one_wrong_pair_among_twenty_does_not_spoil_the_engineer() -> None:
    songs = planted_songs(30)
    rng = np.random.default_rng(0)
    noise = [0.3 * rng.standard_normal() * HIGH_SHELF for _ in range(20)]
    groups = [str(i // 2) for i in range(20)]

    def taught(wrong: int | None) -> list:
        return [
            planted_pair(
                song, str(i), lambda s, i=i: 9.0 * HIGH_SHELF if i == wrong else _policy(s) + noise[i]
            )
            for i, song in enumerate(songs[:20])
        ]

    clean, spoiled = (fit_validated(taught(wrong), groups, most_folds=2) for wrong in (None, 7))
    assert clean.left_out == ()
    assert [each.place for each in spoiled.left_out] == [7]
    assert spoiled.left_out[0].distance_db > 4.0 * spoiled.left_out[0].usual_db
    assert spoiled.validation is not None and len(spoiled.validation.songs) == 19
    assert _error_db(spoiled.engineer, songs[20:]) < 1.15 * _error_db(clean.engineer, songs[20:]) + 0.05


def test_an_engineer_who_varies_loses_no_pair() -> None:
    songs = planted_songs(20, seed=5)
    rng = np.random.default_rng(5)
    pairs = [
        planted_pair(s, str(i), lambda _: 3.0 * rng.standard_normal() * LOW_SHELF)
        for i, s in enumerate(songs)
    ]
    found = fit_validated(pairs, [str(i) for i in range(20)], most_folds=3)
    assert found.left_out == ()
    moves = np.stack([found.engineer.predict(song).curve_db for song in songs])
    assert (
        np.ptp(moves, axis=0).max() < 0.1 * np.ptp(np.stack([p.move.curve_db for p in pairs]), axis=0).max()
    )


def test_weights_are_those_of_students_t() -> None:
    """As scipy's t has them: the weight of a draw is −(d log p/dr)/r, in units of the scale."""
    stats = pytest.importorskip("scipy.stats")
    distances = np.array([0.5, 1.0, 1.0, 1.0, 6.0])
    step = 1e-5
    slope = (
        stats.t.logpdf(distances + step, DEGREES_OF_FREEDOM)
        - stats.t.logpdf(distances - step, DEGREES_OF_FREEDOM)
    ) / (2.0 * step)
    assert student_weights(distances) == pytest.approx(-slope / distances, rel=1e-5)
