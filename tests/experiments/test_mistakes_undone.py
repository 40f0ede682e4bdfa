"""Mistakes have their exact size, and the scores know what is planted."""

import csv
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import soundfile

from experiments.common.mistakes import (
    CONDITIONS,
    FINISHED,
    Condition,
    curve_db,
    draw,
    mean_correction,
    rms_of,
    with_mistake,
)
from experiments.common.scores import removed, removed_interval, share_worse, worst_tenth
from experiments.mistakes_undone.mixes import mahalanobis
from experiments.mistakes_undone.plain import gaussian_of, plain_posterior
from experiments.mistakes_undone.rows import Row, read, write
from experiments.mistakes_undone.run import Setting, Task, case_of, rendered_move, song_rows
from experiments.mistakes_undone.songs import Song, chosen, pool_songs
from experiments.mistakes_undone.spectra import Spectra, excerpt, profile_of_samples
from experiments.mistakes_undone.steps import after_step, best_step
from experiments.mistakes_undone.systems import chosen_systems
from experiments.mistakes_undone.tables import finished_table, mistakes_table, summary_table
from neural_mastering.controls import ChainControls
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.tone.choose import choose_tone
from neural_mastering.styles.intensity import INTENSITIES_DB

RATE = 44_100


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.name)
def test_mistakes_have_their_size_and_belong_to_the_song(condition: Condition) -> None:
    curves = [curve_db(draw(condition, 1, "package", f"song {i}")) for i in range(20)]
    assert [rms_of(curve) for curve in curves] == pytest.approx([condition.size_db] * 20, abs=1e-6)
    again = draw(condition, 1, "package", "song 3")
    assert again == draw(condition, 1, "package", "song 3")
    if condition != FINISHED:
        assert len({curve.tobytes() for curve in curves}) == 20


def test_dull_lacks_treble_and_boomy_has_bass() -> None:
    for i in range(20):
        dull = curve_db(draw(Condition("dull", 3.2), i))
        boomy = curve_db(draw(Condition("boomy", 3.2), i))
        assert dull[CENTRES_HZ > 10_000].max() < -3.0 < -0.5 < dull[CENTRES_HZ < 500].min()
        assert boomy[CENTRES_HZ < 60].min() > 3.0 > 0.5 > boomy[CENTRES_HZ > 2_000].max()


def test_the_rendered_mistake_is_the_drawn_one() -> None:
    noise = np.random.default_rng(0).normal(size=(20 * RATE, 2)) * 0.1
    bands = draw(Condition("random", 4.0), "noise")
    change = (
        profile_of_samples(with_mistake(noise, RATE, bands), RATE).levels_db
        - profile_of_samples(noise, RATE).levels_db
    )
    wanted = curve_db(bands)
    off = (change - change[BROAD].mean()) - (wanted - wanted[BROAD].mean())
    assert np.abs(off[BROAD]).max() < 0.5  # a band has one level, a peak has a slope in it
    loud = with_mistake(noise * 100.0, RATE, bands)
    assert np.abs(loud).max() == pytest.approx(0.98)


def test_one_curve_for_all_opposes_the_common_mistakes() -> None:
    curve = mean_correction([f"{i}" for i in range(20)])
    assert curve[CENTRES_HZ > 8_000].min() > 0.3
    assert curve[CENTRES_HZ < 80].max() < -0.3


def test_scores_know_what_is_planted() -> None:
    rng = np.random.default_rng(0)
    before = rng.uniform(1.0, 3.0, 40)
    packages = [f"{i % 8}" for i in range(40)]
    assert removed(before, before) == 0.0
    assert removed(before, 0.0 * before) == 1.0
    assert removed(before, 0.5 * before) == pytest.approx(0.75)
    assert removed_interval(before, 0.5 * before, packages) == pytest.approx((0.75, 0.75))
    low, high = removed_interval(before, 0.5 * before, packages, 0.6 * before)
    assert (low, high) == pytest.approx((0.11, 0.11))
    after = before * np.where(np.arange(40) < 4, 2.0, 0.5)
    assert share_worse(before, after) == pytest.approx(0.1)
    assert worst_tenth(before, after) == pytest.approx(2.0)


def test_the_interval_covers_about_its_share() -> None:
    hits = 0
    for trial in range(100):
        rng = np.random.default_rng(trial)
        effect = np.repeat(rng.normal(0.8, 0.1, 30), 5)
        before = np.ones(150)
        low, high = removed_interval(before, np.sqrt(effect), [f"{i // 5}" for i in range(150)])
        hits += low < 0.2 < high
    assert 85 <= hits <= 99


def test_the_gaussian_is_recovered_although_bands_are_missing() -> None:
    rng = np.random.default_rng(0)
    bands = len(CENTRES_HZ)
    root = np.tril(np.ones((bands, bands))) * 0.5
    levels = rng.normal(size=(1_500, bands)) @ root.T + np.arange(bands)
    filled = np.ones(levels.shape, dtype=bool)
    filled[levels[:, 20] > 21.0, 24:] = False  # what is missing depends on what is known
    found = gaussian_of(Spectra(("p",) * 1_500, np.where(filled, levels, -99.0), filled))
    assert np.abs(found.mean - np.arange(bands)).max() < 0.3
    truth = root @ root.T
    assert np.abs(found.covariance - truth).max() < 0.15 * truth.max()


def test_undoing_the_planted_mistake_leaves_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(20 * RATE, 2)) * 0.05
    bands = draw(Condition("random", 4.0), "noise")
    soundfile.write(tmp_path / "a.wav", with_mistake(noise, RATE, bands), RATE, subtype="FLOAT")
    finished = profile_of_samples(noise, RATE)
    with ExitStack() as resources:
        case = case_of(tmp_path / "a.wav", tmp_path, resources)
        before = case.profile.levels_db - finished.levels_db
        undone = before + rendered_move(case, lambda _: ChainControls(eq=bands.scaled(-1.0)))
        assert np.array_equal(rendered_move(case, lambda _: ChainControls()), np.zeros(len(before)))
    assert rms_of(before) == pytest.approx(4.0, abs=0.1)
    assert rms_of(undone) < 1e-3


def test_the_plain_posterior_moves_towards_the_songs_it_knows() -> None:
    rng = np.random.default_rng(0)
    pink = rng.normal(size=(200, len(CENTRES_HZ)))
    known = Spectra(("p",) * 200, pink, np.ones(pink.shape, dtype=bool))
    noise = profile_of_samples(rng.normal(size=(10 * RATE, 2)) * 0.05, RATE)  # white: +1 dB a third octave
    controls = plain_posterior(gaussian_of(known), 3.5)(noise)
    curve = curve_db(controls.eq)
    assert curve[CENTRES_HZ > 8_000].max() < -3.0 < 3.0 < curve[CENTRES_HZ < 100].min()


def test_whole_packages_are_kept_apart(tmp_path: Path) -> None:
    with (tmp_path / "list.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("package", "song"), ("a", "one")])
    with (tmp_path / "manifest.csv").open("w", newline="") as handle:
        rows = [
            ("flac/a/one.flac", "a"),
            ("flac/a/two.flac", "a"),
            ("flac/b/one.flac", "b"),
            ("no.flac", "b"),
        ]
        csv.writer(handle).writerows([("file", "package"), *rows])
    for file, _ in rows[:3]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    test, others = pool_songs(tmp_path, tmp_path / "list.csv")
    assert [(s.package, s.name) for s in test] == [("a", "one")]
    assert [(s.package, s.name) for s in others] == [("b", "one")]


def test_mono_is_heard_on_both_sides(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.linspace(-0.5, 0.5, 1_000), RATE)
    samples, rate = excerpt(tmp_path / "a.wav", 0.01)
    assert samples.shape == (441, 2) and rate == RATE
    assert np.array_equal(samples[:, 0], samples[:, 1])


def test_tables_compare_with_the_plain_posterior_of_the_same_intensity() -> None:
    rows = [
        Row(f"p{i}", "s", "random 2 dB", system, 2.0, after, 1.0)
        for i in range(5)
        for system, after in (("plain@balanced", 1.8), ("auto@balanced", 1.0), ("plain@strong", 3.0))
    ]
    rows += [
        Row("p", f"s{i}", "finished", "auto@balanced", 0.0, move, move) for i, move in enumerate((0.2, 1.0))
    ]
    line = {row["system"]: row for row in mistakes_table(rows)}["auto@balanced"]
    assert line["removed"] == "75.0 % [75.0, 75.0]"
    assert line["less plain"] == "+56.0 [+56.0, +56.0]"
    assert finished_table(rows)[0]["mean move, dB RMS"] == "0.60"
    summary = {row["system"]: row["random 2 dB"] for row in summary_table(rows)}
    assert summary["auto@balanced"] == "75.0 % / 0 %"
    assert summary["plain@strong"] == "-125.0 % / 100 %"


def test_rows_come_back(tmp_path: Path) -> None:
    rows = [Row("p", "s", "finished", "auto@balanced", 0.0, 0.25, 0.25)]
    write(tmp_path / "songs.csv", rows)
    assert read(tmp_path / "songs.csv") == rows
    assert read(tmp_path / "none.csv") == []


def test_what_is_known_of_a_song_is_not_measured_again(tmp_path: Path) -> None:
    condition, systems = Condition("random", 2.0), chosen_systems(["nothing"], None)
    setting, missing = Setting(None, ("nothing",), 1.0, 16, (condition,)), Song("p", "s", tmp_path / "no.wav")
    assert song_rows(Task(missing, frozenset({(condition.name, "nothing")})), setting, systems) == []
    with pytest.raises(soundfile.LibsndfileError):
        song_rows(Task(missing, frozenset()), setting, systems)
    there = Song("p", "s", tmp_path / "s.wav")
    soundfile.write(there.path, 0.1 * np.random.default_rng(0).standard_normal((4 * RATE, 2)), RATE)
    (row,) = song_rows(Task(there, frozenset({(condition.name, "other")})), setting, systems)
    assert row.before_db == row.after_db == pytest.approx(2.0, abs=0.1) and row.move_db == 0.0


def test_the_same_songs_are_chosen_whatever_others_there_are() -> None:
    songs = [Song(package, f"{i}", Path()) for package in "ab" for i in range(9)]
    few = chosen(songs, 2)
    assert [song.package for song in few] == ["a", "b", "a", "b"]
    assert set(chosen([*songs, Song("c", "1", Path())], 2)) == {*few, Song("c", "1", Path())}
    assert set(few) <= set(chosen(songs, 3))


def test_a_usual_song_is_at_a_distance_of_about_one_whatever_its_level() -> None:
    rng = np.random.default_rng(0)
    bands = len(CENTRES_HZ)
    root = np.tril(np.ones((bands, bands))) * 0.5
    tone = Gaussian.of(np.arange(bands, dtype=float), root @ root.T)
    filled = CENTRES_HZ < 9_000
    songs = rng.normal(size=(2_000, bands)) @ root.T + tone.mean
    found = np.array([mahalanobis(song, tone, filled) for song in songs])
    assert np.mean(found**2) == pytest.approx(1.0, abs=0.05)
    assert mahalanobis(songs[0] + 3.0, tone, filled) == pytest.approx(found[0], abs=0.01)
    assert mahalanobis(tone.mean, tone, filled) == 0.0


def test_auto_is_what_nm_master_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "a.wav", rng.normal(size=(20 * RATE, 2)) * 0.05, RATE)
    training = Spectra(
        ("p",), rng.normal(size=(1, len(CENTRES_HZ))), np.ones((1, len(CENTRES_HZ)), dtype=bool)
    )
    ours = chosen_systems(["auto@strong"], training)["auto@strong"]
    with ExitStack() as resources:
        case = case_of(tmp_path / "a.wav", tmp_path, resources)
        options = Options(style="auto", intensity_db=INTENSITIES_DB["strong"])
        assert ours(case) == choose_tone(case.song, options, lambda _: None).controls
        assert len(ours(case).eq)


def test_a_step_along_a_curve_leaves_what_arithmetic_says() -> None:
    rng = np.random.default_rng(0)
    mistakes, curves = rng.normal(size=(2, 12, 25))
    mistakes, curves = (
        each - each.mean(axis=1, keepdims=True) for each in (mistakes, curves - 0.4 * mistakes)
    )
    before, after, move = (each.std(axis=1) for each in (mistakes, mistakes + curves, curves))
    for step in (0.0, 0.3, 1.0, 1.7):
        assert after_step(before, after, move, step) == pytest.approx((mistakes + step * curves).std(axis=1))
    best = best_step(before, after, move)
    left = [removed(before, after_step(before, after, move, best + off)) for off in (-0.05, 0.0, 0.05)]
    assert left[1] > max(left[0], left[2])
