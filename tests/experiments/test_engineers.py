"""Planted engineers do what they say, and the scores know what is planted."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyebur128
import pytest
import soundfile
from scipy.signal import sosfilt, welch

from experiments.common.csv_files import read_rows
from experiments.engineers import outside
from experiments.engineers.cache import Mix
from experiments.engineers.hearing import BROAD, CENTRES_HZ, Hearing, Level, centred, hear
from experiments.engineers.mastering import equalise, master
from experiments.engineers.moves import Band, Settings, tone_db
from experiments.engineers.pairs import Pair, pair_of
from experiments.engineers.policies import ENGINEERS, by_name, ramp, settings_of, target_db
from experiments.engineers.scores import score, song_dependence
from experiments.engineers.songs import TEST_SONGS, Song, choose_test, in_turn, songs_of
from experiments.engineers.systems import (
    Guess,
    average_eq,
    identity,
    match_full,
    match_shrunk,
    nearest_pair,
    ridge_long_term,
    ridge_on,
)

RATE = 44_100


def noise(seconds: float, correlation: float = 0.0, seed: int = 0) -> np.ndarray:
    """White noise (time, 2) of −20 dBFS with a correlation of its channels."""
    one, other = np.random.default_rng(seed).standard_normal((2, round(seconds * RATE)))
    right = correlation * one + np.sqrt(1.0 - correlation**2) * other
    return 0.1 * np.stack([one, right], axis=1)


def heard(rng: np.random.Generator) -> Hearing:
    """A song that nobody has to play."""
    return Hearing(
        levels_db=centred(rng.normal(0.0, 4.0, len(CENTRES_HZ))),
        level=Level(
            float(rng.uniform(-22.0, -9.0)), float(rng.uniform(10.0, 18.0)), float(rng.uniform(2.0, 10.0))
        ),
        percussiveness=float(rng.uniform(0.41, 0.59)),
        density=float(rng.uniform(0.43, 0.69)),
        presence_fluctuation_db=float(rng.uniform(3.5, 10.5)),
        correlation=float(rng.uniform(0.2, 1.0)),
    )


def pairs(name: str, count: int, seed: int = 0) -> list[Pair]:
    """Pairs of an engineer whose masters need not be rendered."""
    rng = np.random.default_rng(seed)
    mixes = [
        Mix(Song(f"package {i % 7}", f"song {seed} {i}", Path("none")), heard(rng), -8.0)
        for i in range(count)
    ]
    return [pair_of(name, mix, Path("none")) for mix in mixes]


def test_a_ramp_ends_at_both_sides() -> None:
    assert [ramp(v, 2.0, 4.0) for v in (1.0, 2.0, 2.5, 4.0, 9.0)] == [0.0, 0.0, 0.25, 1.0, 1.0]
    assert [ramp(v, 4.0, 2.0) for v in (9.0, 3.5, 1.0)] == [0.0, 0.25, 1.0]


def test_the_target_falls_as_published() -> None:
    """Slopes of Elowsson & Friberg 2017 at 200, 800 and 3,200 Hz, in dB an octave."""
    for at_hz, slope in ((200.0, -2.35), (800.0, -4.99), (3_200.0, -7.62)):
        low, high = np.interp(np.log2([at_hz / 2**0.5, at_hz * 2**0.5]), np.log2(CENTRES_HZ), target_db())
        assert high - low == pytest.approx(slope, abs=0.25)


@pytest.mark.parametrize("name", [e.name for e in ENGINEERS if e.name not in ("dynamics", "composite")])
def test_the_closed_form_is_what_the_audio_measures(name: str) -> None:
    """White noise through the equalisers, by scipy's Welch."""
    settings = by_name(name).settings(heard(np.random.default_rng(1)))
    audio = noise(12.0)
    wet = equalise(audio, RATE, settings)
    at_hz, before = welch(audio.T, RATE, "hann", 16_384)
    after = welch(wet.T, RATE, "hann", 16_384)[1]
    ratio = []
    for centre in CENTRES_HZ[BROAD]:
        inside = (at_hz > centre / 10**0.05) & (at_hz < centre * 10**0.05)
        ratio.append(10.0 * np.log10(after[:, inside].sum() / before[:, inside].sum()))
    expected = tone_db(settings)[BROAD]
    assert np.abs(np.array(ratio) - np.mean(ratio) - expected).max() < 0.25
    assert expected.std() > 0.1


def test_the_linear_phase_filter_does_not_delay() -> None:
    audio = noise(3.0)
    wet = equalise(audio, RATE, Settings(curve_db=target_db() / 4.0))
    lags = [float((audio[100:-100, 0] * np.roll(wet[:, 0], -lag)[100:-100]).sum()) for lag in range(-3, 4)]
    assert int(np.argmax(lags)) == 3


def test_a_limited_master_meets_loudness_and_ceiling() -> None:
    audio = noise(6.0) * np.repeat([1.0, 0.2, 1.0], 2 * RATE)[:, None]
    settings = Settings(ratio=2.0, threshold_db=-2.0, loudness_lufs=-9.0, limited=True)
    state = pyebur128.R128State(
        2, RATE, pyebur128.MeasurementMode.MODE_I | pyebur128.MeasurementMode.MODE_TRUE_PEAK
    )
    state.add_frames(np.ascontiguousarray(master(audio, RATE, settings)).ravel(), len(audio))
    assert pyebur128.get_loudness_global(state) == pytest.approx(-9.0, abs=0.1)
    assert 20.0 * np.log10(pyebur128.get_true_peak(state, 0)) < -0.9


def test_the_compressor_narrows_what_the_engineer_says() -> None:
    """Steps of 12 dB, 2 s each, at 3:1: both over the threshold, so 4 dB are left of them."""
    audio = noise(8.0) * np.tile(np.repeat([1.0, 10.0 ** (-12.0 / 20.0)], 2 * RATE), 2)[:, None]
    wet = master(audio, RATE, Settings(ratio=3.0, threshold_db=-25.0))
    loud, soft = wet[RATE : 2 * RATE], wet[3 * RATE : 4 * RATE]
    assert 20.0 * np.log10(loud.std() / soft.std()) == pytest.approx(4.0, abs=0.2)


def test_width_is_a_gain_of_the_side() -> None:
    audio = noise(3.0, correlation=0.5)
    wet = master(audio, RATE, Settings(side_db=3.0))
    change = [
        20.0 * np.log10(np.std(a @ [1, sign]) / np.std(b @ [1, sign]))
        for a, b, sign in ((wet, audio, -1), (wet, audio, 1))
    ]
    assert change[0] - change[1] == pytest.approx(3.0, abs=1e-6)


def test_an_engineer_hears_drums_gaps_and_width() -> None:
    time = np.arange(8 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * f * time) for f in (110.0, 440.0, 1_760.0, 3_520.0))
    held = 0.05 * np.repeat(np.asarray(tones)[:, None], 2, axis=1)
    clicks = noise(8.0, 0.6) * np.exp(-30.0 * (time % 0.5))[:, None]
    steady, drums = hear(held, RATE), hear(clicks, RATE)
    assert steady.percussiveness < 0.5 < 0.6 < drums.percussiveness
    assert drums.density < 0.35 and hear(noise(8.0), RATE).density > 0.9
    assert drums.correlation == pytest.approx(0.6, abs=0.05)
    assert steady.correlation == pytest.approx(1.0)
    gated = hear(noise(8.0) * np.where(time % 1.0 < 0.25, 1.0, 0.1)[:, None], RATE)
    assert gated.presence_fluctuation_db == pytest.approx(20.0, abs=1.0)


def test_level_plays_no_part_in_what_is_heard() -> None:
    audio = noise(6.0, 0.3) * (1.0 + np.sin(np.arange(6 * RATE) / 9_000.0))[:, None]
    one, quiet = hear(audio, RATE), hear(0.1 * audio, RATE)
    assert quiet.levels_db == pytest.approx(one.levels_db, abs=1e-6)
    for name in ("percussiveness", "density", "presence_fluctuation_db", "correlation"):
        assert getattr(quiet, name) == pytest.approx(getattr(one, name), abs=1e-6)
    assert quiet.level.plr_db == pytest.approx(one.level.plr_db, abs=1e-6)


def test_inconsistency_belongs_to_the_song() -> None:
    engineer, song = by_name("bass"), heard(np.random.default_rng(0))
    gains = [settings_of(engineer, song, f"song {i}").bands[0].gain_db for i in range(400)]
    exact = settings_of(engineer, song, "song 0", exact=True).bands[0].gain_db
    assert np.std(gains) == pytest.approx(0.5, rel=0.15)
    assert np.mean(gains) == pytest.approx(exact, abs=0.1)
    assert settings_of(engineer, song, "song 7").bands[0].gain_db == gains[7]
    assert settings_of(by_name("harsh"), song, "song 7") == by_name("harsh").settings(song)


def test_scores_know_the_truth_and_the_mean() -> None:
    judged = pairs("bright", 30)
    truth = np.stack([pair.true_db for pair in judged])

    def scored(curves: np.ndarray, loudness: float = -14.0):
        guesses = [
            Guess(c, loudness, p.level.plr_db, p.level.lra_lu, 0.0)
            for c, p in zip(curves, judged, strict=True)
        ]
        return score(judged, [guesses])

    best = scored(truth)
    assert best.whole.value == best.song_dependent.value == 1.0 and best.loudness_lu == 0.0
    mean = scored(np.tile(truth.mean(axis=0), (30, 1)), -12.5)
    assert mean.song_dependent.value == pytest.approx(0.0, abs=1e-12) and mean.loudness_lu == pytest.approx(
        1.5
    )
    assert mean.whole.value == pytest.approx(1.0 - song_dependence(judged))
    assert scored(0.0 * truth).whole.value == 0.0
    half = scored(0.5 * truth).whole
    assert half.value == pytest.approx(0.75) and half.low <= 0.75 + 1e-12 and half.high >= 0.75 - 1e-12


def test_every_curve_that_is_the_same_is_below_zero() -> None:
    judged, taught = pairs("bass", 24, seed=2), pairs("bass", 24, seed=3)
    average = score(judged, [[average_eq(taught)(pair.mix) for pair in judged]])
    assert -0.3 < average.song_dependent.value <= 0.0 < average.whole.value


@pytest.mark.parametrize("name", ["bass", "bright", "harsh", "target"])
def test_who_knows_the_right_feature_learns_the_policy(name: str) -> None:
    """Inside its ramp a policy is nearly linear in decibels."""
    engineer = by_name(name)
    system = ridge_on(lambda mix: engineer.hears(mix.heard))
    judged = pairs(name, 20, seed=5)
    learned = system(pairs(name, 60, seed=4))
    found = score(judged, [[learned(pair.mix) for pair in judged]])
    assert found.song_dependent.value > (0.8 if name == "target" else 0.93)  # whose curve ends at 8 dB
    without = ridge_on(lambda _: np.zeros((1, 0)))(pairs(name, 60, seed=4))
    assert score(judged, [[without(pair.mix) for pair in judged]]).song_dependent.value < 0.05


def test_a_spectral_match_ends_at_the_mean_spectrum() -> None:
    taught, judged = pairs("target", 20), pairs("target", 5, seed=9)
    goal = np.mean([p.mix.heard.levels_db + p.given_db for p in taught], axis=0)
    for pair in judged:
        way = goal - pair.mix.heard.levels_db
        assert match_full(taught)(pair.mix).curve_db == pytest.approx(centred(way))
        assert 0.0 < float(match_shrunk(taught)(pair.mix).curve_db[BROAD].std()) < float(way[BROAD].std())


def test_the_nearest_pair_of_a_known_mix_is_itself() -> None:
    taught = pairs("bass", 15)
    for pair in taught[:4]:
        assert nearest_pair(taught)(pair.mix).curve_db == pytest.approx(pair.given_db)
        assert identity(taught)(pair.mix).plr_db == pair.mix.heard.level.plr_db


def test_ridge_by_packages_falls_back_to_the_average_of_noise() -> None:
    """With nothing to find, leaving packages out chooses so large a ridge that little is left of the features."""
    rng = np.random.default_rng(0)
    taught = [
        replace(pair, given_db=centred(rng.normal(0.0, 1.0, len(CENTRES_HZ)))) for pair in pairs("bass", 40)
    ]
    moved = [
        ridge_long_term(taught)(p.mix).curve_db - average_eq(taught)(p.mix).curve_db
        for p in pairs("bass", 9, 8)
    ]
    assert float(np.std(moved)) < 0.2


def test_parts_of_the_pool_are_apart() -> None:
    listed = [(row["package"], row["song"]) for row in read_rows(TEST_SONGS)]
    everything = [Song(p, s, Path("none")) for p, s in listed]
    everything += [
        Song(p, f"other {i}", Path("none")) for i in range(3) for p in ("nexuiz-music", "glob2-data", "new")
    ]
    parts = {part: songs_of(everything, part) for part in ("train", "development", "test")}
    assert [song.package for song in parts["train"]] == ["new"] * 3
    assert [song.package for song in parts["development"]] == ["glob2-data"] * 3
    assert len(parts["test"]) == len(listed) >= 20 and len({p for p, _ in listed}) >= 8


def test_the_list_of_the_test_follows_its_rule() -> None:
    candidates = TEST_SONGS.parents[1] / "normality" / "test_songs.csv"
    chosen = choose_test((row["package"], row["song"]) for row in read_rows(candidates))
    assert chosen == [(row["package"], row["song"]) for row in read_rows(TEST_SONGS)]


def test_songs_to_learn_from_come_from_many_packages() -> None:
    songs = [Song(f"p{p}", f"s{i}", Path("none")) for p in range(5) for i in range(p + 1)]
    first, again = in_turn(songs, 1), in_turn(songs[::-1], 1)
    assert first == again != in_turn(songs, 2)
    assert len({song.package for song in first[:5]}) == 5 and sorted(first) == songs


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the outside engineer is made of ffmpeg's filters")
def test_the_outside_engineer_reads_and_masters(tmp_path: Path) -> None:
    time = np.arange(8 * RATE) / RATE
    quiet = 0.2 * noise(8.0, 0.5)
    soundfile.write(tmp_path / "mix.wav", quiet, RATE, subtype="FLOAT")
    found = outside.read(tmp_path / "mix.wav")
    state = pyebur128.R128State(2, RATE, pyebur128.MeasurementMode.MODE_I)
    state.add_frames(quiet.ravel(), len(quiet))
    assert found.loudness_lufs == pytest.approx(pyebur128.get_loudness_global(state), abs=0.11)
    assert found.zero_crossings == pytest.approx(0.5, abs=0.01)  # of white noise
    assert found.side_db == pytest.approx(10.0 * np.log10((1.0 - 0.5) / (1.0 + 0.5)), abs=0.1)
    right = outside.hears(tmp_path / "mix.wav", tmp_path / "kept" / "mix.json")
    assert right.tolist() == [
        [found.lra_lu, found.crest_db, found.zero_crossings, found.bass_db, found.side_db]
    ]
    assert outside.hears(tmp_path / "absent.wav", tmp_path / "kept" / "mix.json").tolist() == right.tolist()
    outside.master(tmp_path / "mix.wav", tmp_path / "out.wav", found)
    wet = soundfile.read(tmp_path / "out.wav")[0]
    assert len(wet) == len(time)
    assert outside.read(tmp_path / "out.wav").loudness_lufs == pytest.approx(
        outside.loudness_lufs(found), abs=0.5
    )


def test_a_band_is_the_filter_of_its_name() -> None:
    """scipy's response of the sections at 90 Hz and far above: the shelf's half gain and nothing."""
    from neural_mastering.dsp import rbj  # the oracle of one test

    band = Band("low_shelf", 90.0, 6.0)
    section = rbj.sections([band.kind], [band.frequency_hz], [band.gain_db], [band.q], RATE)
    wave = np.sin(2 * np.pi * 90.0 * np.arange(2 * RATE) / RATE)
    half = np.asarray(sosfilt(section, wave))[RATE:]
    assert 20.0 * np.log10(half.std() / wave[RATE:].std()) == pytest.approx(3.0, abs=0.05)
    curve = tone_db(Settings(bands=(band,)))
    assert curve[0] - curve[-1] == pytest.approx(6.0, abs=0.2)
