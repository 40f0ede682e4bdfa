"""Several mistakes a song: the scores know what is luck, and the ways agree where they must."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.common.mistakes import Condition, curve_db, draw
from experiments.common.normal_tone.loudness_bias import loudness_bias
from experiments.common.normal_tone.measured_songs import Songs
from experiments.mistakes_undone.draws import rendered_lines
from experiments.mistakes_undone.left_mistakes import Left, engine, left, mistakes_of
from experiments.mistakes_undone.other_ways import family_known, together, with_own_package
from experiments.mistakes_undone.region_shares import region_lines
from experiments.mistakes_undone.rows import Row
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.mix_errors import error_covariance
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.metering.content import Content
from neural_mastering.metering.profile import Profile
from neural_mastering.normality import load_normal_tone
from neural_mastering.styles.move import Expectation, wanted_move

BANDS = len(CENTRES_HZ)
RANDOM = Condition("random", 2.0)


def songs_of(levels_db: np.ndarray, package: list[str]) -> Songs:
    count = len(levels_db)
    return Songs(
        name=np.array([f"s{i}" for i in range(count)]),
        package=np.array(package),
        is_test=np.ones(count, dtype=bool),
        is_simple=np.zeros(count, dtype=bool),
        names=("one",),
        features=np.zeros((count, 1)),
        levels_db=levels_db,
        filled=np.ones(levels_db.shape, dtype=bool),
        lufs=np.linspace(-20.0, -10.0, count),
    )


def test_the_first_mistake_is_that_of_the_main_study_and_the_others_differ() -> None:
    songs = songs_of(np.zeros((3, BANDS)), ["a", "a", "b"])
    curves = mistakes_of(songs, RANDOM, 16, 4)
    assert curves.shape == (3, 4, BANDS)
    assert np.array_equal(curves[1, 0], curve_db(draw(RANDOM, 16, "a", "s1")))
    assert len({curve.tobytes() for curve in curves.reshape(-1, BANDS)}) == 12
    assert np.array_equal(curves[:, :2], mistakes_of(songs, RANDOM, 16, 2))


def test_the_engine_is_that_of_the_library() -> None:
    rng = np.random.default_rng(0)
    tone = Gaussian.of(rng.normal(size=BANDS), 16.0 * error_covariance(1.0) + np.eye(BANDS))
    level = 5.0 * rng.normal(size=BANDS)
    known = CENTRES_HZ < 9_000.0
    move = wanted_move(Profile(level, known, -14.0, 60.0), [Expectation("all", 1.0, tone)], intensity_db=3.5)
    curve = engine([tone], 3.5)(level, known, 0)
    off = (curve - move.curve_db)[BROAD & known]
    np.testing.assert_allclose(off, off.mean(), atol=1e-6)


def test_songs_drawn_from_the_prediction_lie_where_it_says() -> None:
    tone = load_normal_tone()
    features = tone.regression.centre + 0.3 * tone.regression.scale
    content = Content(tone.names, features, 60.0)
    predicted = tone.predict(content)
    levels = np.random.default_rng(4).multivariate_normal(predicted.mean, predicted.covariance, size=300)
    songs = replace(
        songs_of(levels, ["a"] * 300), names=tone.names, features=np.repeat(features[None], 300, axis=0)
    )
    lines = region_lines(songs)
    assert len(lines) == 8 and {line["songs"] for line in lines} == {"300"}
    shares = {name: np.mean([float(line[name][:-2]) for line in lines]) for name in list(lines[0])[2:]}
    expected = {"below the 10th": 10.0, "between the 25th and the 75th": 50.0, "above the 90th": 10.0}
    assert shares == pytest.approx(expected, abs=5.0)


def test_scores_of_many_mistakes_and_of_tests_with_one_each() -> None:
    rng = np.random.default_rng(0)
    before = np.full((60, 20), 2.0)
    after = np.sqrt(4.0 * rng.gamma(2.0, 0.45, size=(60, 20)))
    found = Left(before, after, [f"{i % 6}" for i in range(60)])
    gone, worse = found.single_tests()
    assert gone.mean() == pytest.approx(1.0 - (after**2).mean() / 4.0, abs=0.005)
    expected = np.sqrt((after**2).var(axis=1).mean() / 16.0 / 60.0)  # of a mean over 60 independent songs
    assert gone.std() == pytest.approx(expected, rel=0.05)
    assert worse.mean() == pytest.approx((after > 2.05).mean(), abs=0.005)
    cells = found.cells(Left(before, before, found.package))
    assert cells["removed"].startswith(f"{100.0 * (1.0 - (after**2).mean() / 4.0):.1f} %")
    assert cells["lead"].startswith(f"{100.0 * (1.0 - (after**2).mean() / 4.0):+.1f}")
    assert found.of(np.arange(60) < 6).package == ("0", "1", "2", "3", "4", "5")


def test_whoever_knows_mean_and_family_leaves_least() -> None:
    rng = np.random.default_rng(1)
    spread = 4.0 * error_covariance(2.0) + 4.0 * np.eye(BANDS)
    levels = rng.multivariate_normal(np.zeros(BANDS), spread, size=40)
    songs = songs_of(levels, ["a", "b"] * 20)
    errors = mistakes_of(songs, RANDOM, 1, 2)
    family = np.stack([curve_db(draw(RANDOM, "family", i)) for i in range(300)])
    family = np.concatenate([family, -family])
    vague = [Gaussian.of(np.zeros(BANDS), spread)] * 40
    exact = [Gaussian.of(level, 1e-3 * spread) for level in levels]
    ways = {
        "nothing": lambda spectrum, known, song: np.zeros(BANDS),
        "engine": engine(vague, 2.0),
        "family": family_known(vague, family),
        "exact": engine(exact, 2.0),
    }
    kept = [float((left(songs, errors, follow).after_db ** 2).mean()) for follow in ways.values()]
    assert kept[0] == pytest.approx(4.0) and kept[0] > kept[1] > kept[3] and kept[2] < 1.02 * kept[1]
    assert kept[3] < 0.4


def test_what_a_package_has_in_common_is_taken_from_its_other_songs() -> None:
    offset = np.where(CENTRES_HZ > 1_000.0, 3.0, -3.0)
    levels = np.stack([offset, offset, -offset, -offset, -offset])
    songs = songs_of(levels, ["a", "a", "b", "b", "b"])
    found = with_own_package(songs, [Gaussian.of(np.zeros(BANDS), np.eye(BANDS))] * 5)
    for level, each in zip(levels, found, strict=True):
        np.testing.assert_allclose(each.mean, level - level[BROAD].mean(), atol=1e-9)
    both = together(songs, songs.of(np.array([0, 2])))
    assert len(both) == 7 and both.package.tolist() == ["a", "a", "b", "b", "b", "a", "b"]


def test_songs_are_compared_with_their_rendered_rows() -> None:
    songs = songs_of(np.zeros((3, BANDS)), ["a", "a", "b"])
    found = Left(np.full((3, 2), 2.0), np.array([[1.0, 9.0], [2.0, 9.0], [1.5, 9.0]]), ["a", "a", "b"])
    rows = [
        Row(package, name, "random 2 dB", "auto@balanced", 2.0, after, 1.0)
        for package, name, after in (("a", "s0", 1.0), ("b", "s2", 1.5), ("gone", "s0", 2.0))
    ]
    (line,) = rendered_lines(rows, songs, {("random 2 dB", "auto@balanced"): found})
    assert line["songs"] == "2" and line["on spectra"] == line["rendered"]
    assert line["correlation of the songs' changes"] == "1.00"


def test_quiet_songs_with_less_treble_are_seen() -> None:
    lufs = np.linspace(-20.0, -10.0, 9)
    shape = np.where(CENTRES_HZ > 4_000.0, 0.5 * (lufs + 15.0)[:, None], 0.0)
    rows = loudness_bias(lufs, shape, {"mean": np.zeros(BANDS), "exact": shape})
    assert [row["treble less mean db"] for row in rows] == pytest.approx([-1.88, 0.0, 1.88], abs=0.01)
    assert all(row["treble less exact db"] == 0.0 and row["bass less mean db"] == 0.0 for row in rows)
