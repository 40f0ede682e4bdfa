"""The studies of references: what they compare with what, how they judge it, and how they call Matchering."""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter, sosfreqz

from experiments.common.song_folders import in_turn
from experiments.reference_matching import cells, excerpts, false_matches, stages, tone
from experiments.reference_matching.distances import Distances
from experiments.reference_matching.equaliser import filtered, random_equaliser
from experiments.reference_matching.matchering import match_all
from neural_mastering.dsp import rbj

RATE = 44_100
SONGS = [{"file": f"{group}__{i}.flac", "group": group} for group in "abc" for i in range(3)]


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    """Four seconds of filtered noise that swells, with some side."""
    return noise(0, 0.9)


def noise(seed: int, pole: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mid, side = lfilter([0.02], [1.0, -pole], rng.standard_normal((2, 4 * RATE)))
    swell = 1.0 + 0.5 * np.sin(np.arange(mid.size) * (2.0 * np.pi / RATE))
    return np.stack([mid + 0.3 * side, mid - 0.3 * side]) * swell


def test_loudness_is_no_error(song: np.ndarray) -> None:
    distances = Distances(song)
    for result in (song, song * 0.2, np.pad(song, ((0, 0), (0, 100)))):
        assert max(*distances.tone(result), *distances.movement(result)) < 2e-3


def test_planted_errors_are_found_where_they_are(song: np.ndarray) -> None:
    distances = Distances(song)
    tilted = filtered(rbj.sections(("peak",), [1_000.0], [6.0], [0.7], RATE), song)
    assert distances.tone(tilted)[0] > 1.0
    assert distances.tone(tilted)[0] > 10.0 * distances.movement(tilted)[1]
    mid, side = 0.5 * (song[0] + song[1]), 0.5 * (song[0] - song[1])
    wide = np.stack([mid + 2.0 * side, mid - 2.0 * side])
    assert distances.movement(wide)[1] == pytest.approx(20.0 * np.log10(2.0), abs=0.01)
    loud = np.tile(np.repeat([1.0, 2.0], RATE), 2)  # two levels 6.02 dB apart, on top of the swell
    assert distances.movement(song * loud)[0] > 1.0


def chord() -> np.ndarray:
    """Four seconds of three notes with a few partials: third octaves full and nearly empty in turn."""
    at_s = np.arange(4 * RATE) / RATE
    partials = [note * k for note in (98.0, 220.0, 700.0) for k in (1, 3, 8)]
    tones = sum(np.sin(2.0 * np.pi * f * at_s) / np.sqrt(f) for f in partials)
    return np.stack([tones, tones]) + 1e-3 * noise(7, 0.5)


def test_another_song_changes_no_sample_and_the_own_master_does(song: np.ndarray) -> None:
    for result in stages.matched(song, chord()).values():
        assert np.array_equal(result, song)
    master = filtered(rbj.sections(("high_shelf",), [3_000.0], [5.0], [0.7], RATE), song)
    distances = Distances(master)
    result = stages.matched(song, master)[stages.EQUALISER]
    assert distances.tone(result)[0] < 0.4 * distances.tone(song)[0]


@pytest.mark.parametrize("number", range(len(SONGS)))
def test_references_are_what_their_names_say(number: int) -> None:
    found = stages.references_of(number, SONGS)
    own, same, foreign = (found[name] for name in stages.REFERENCES)
    assert own is SONGS[number]
    assert same is not own and same["group"] == own["group"]
    assert foreign["group"] != own["group"]


def test_a_song_alone_in_its_group_has_no_neighbour() -> None:
    assert list(stages.references_of(0, [SONGS[0], SONGS[3]])) == ["own master", "foreign"]


def test_references_of_the_first_study() -> None:
    groups = {name: [Path(name) / f"{i}.wav" for i in range(3)] for name in "abc"}
    rng = np.random.default_rng(0)
    for _ in range(50):
        same, foreign = tone.other_songs(groups["b"][1], groups, rng)
        assert same in groups["b"] and same != groups["b"][1] and foreign not in groups["b"]
    assert in_turn(groups, ["c", "a"], 3) == [groups["c"][0], groups["a"][0], groups["c"][1]]


def test_worse_counts_each_error() -> None:
    nothing = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, np.nan]])
    errors = np.array([[1.1, 2.0], [0.9, 2.0 + 1e-9], [1.5, np.nan]])
    assert cells.worse(errors, nothing) == "2 / 0"


def test_intervals_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(3.0, 1.0, 400)
    mean, low, high = map(float, re.findall(r"[\d.]+", cells.interval(values, 4)))
    assert mean == pytest.approx(values.mean(), abs=1e-4)
    error = values.std() / np.sqrt(len(values))
    assert (low, high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.25 * error)
    assert cells.interval(np.full(5, 2.0)) == "2.00 [2.00, 2.00]"


def test_tables_hold_what_was_measured(tmp_path: Path) -> None:
    rows = [("a", "nothing", "", 2.0, 0.5, 0.3, np.nan), ("b", "nothing", "", 4.0, 0.5, 0.3, 1.0)]
    rows += [(s, "equaliser", "own master", 1.0, 0.6, 0.3, 0.5) for s in "ab"]
    lines = stages.summary(rows).splitlines()
    assert "| 3.000 [2.000, 4.000] |" in lines[2] and lines[2].endswith("| 1.000 [1.000, 1.000] |  |")
    assert lines[3].endswith("| 0 / 2 / 0 / 0 |")
    table = [
        {"song": s, "system": system, "reference": r, "ltas_db": str(ltas), "mr_stft": "0.5"}
        for s, base in (("a", 2.0), ("b", 4.0))
        for system, r, ltas in (("nothing", "", base), ("default", "foreign", base), ("full", "foreign", 5.0))
    ]
    lines = tone.summary(table).splitlines()
    assert "| 0.00 [0.00, 0.00] |" in lines[3] and lines[3].endswith("| 0 / 0 |")
    assert "| 2.00 [1.00, 3.00] |" in lines[4] and lines[4].endswith("| 2 / 0 |")


def test_the_middle_is_read(tmp_path: Path) -> None:
    ramp = np.arange(4 * RATE) / (8.0 * RATE)
    soundfile.write(tmp_path / "ramp.wav", ramp, RATE, subtype="DOUBLE")
    assert np.array_equal(excerpts.read(tmp_path / "ramp.wav", 2.0)[0], ramp[RATE : 3 * RATE])
    assert excerpts.read(tmp_path / "ramp.wav", 60.0).shape == (1, 4 * RATE)
    soundfile.write(tmp_path / "other.wav", ramp, 48_000)
    with pytest.raises(SystemExit, match="48000 Hz"):
        excerpts.read(tmp_path / "other.wav")


STAND_IN = """
import soundfile
def pcm24(path): return path
def process(target, reference, results):
    (target, rate), (reference, _) = soundfile.read(target), soundfile.read(reference)
    soundfile.write(results[0], 0.5 * target + 0.25 * reference, rate, subtype="PCM_24")
"""


def test_matchering_gets_the_song_and_each_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "matchering.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    rng = np.random.default_rng(3)
    audio, one, two = (rng.uniform(-0.5, 0.5, (2, 1_000)) for _ in range(3))
    found = match_all(Path(sys.executable), audio, {"one": one, "two": 8.0 * two})
    assert found["one"] == pytest.approx(0.5 * audio + 0.25 * one, abs=1e-6)
    limited = 8.0 * two / np.abs(8.0 * two).max()
    assert found["two"] == pytest.approx(0.5 * audio + 0.25 * limited, abs=1e-6)


def test_a_peer_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "matchering.py").write_text("raise ImportError('no such thing here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SystemExit, match="no such thing here"):
        match_all(Path(sys.executable), np.zeros((2, 100)), {"one": np.ones((2, 100))})


def test_what_a_false_match_does_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    octaves = np.log2(false_matches.CENTRES_HZ / 1_000.0)
    flat, tilt = np.zeros(len(octaves)), 2.0 * octaves
    fines = np.random.default_rng(6).standard_normal((3, 255))

    def made(name: str, group: str, levels_db: np.ndarray, number: int) -> Any:
        profile = false_matches.Profile(
            levels_db, np.ones(len(octaves), dtype=bool), -14.0, 30.0, fines[number]
        )
        return false_matches.Song(name, group, profile, tilt)

    def follows_all(song: Any, reference: Any) -> tuple[np.ndarray, float]:
        return reference.levels_db - song.levels_db, 1.0

    monkeypatch.setattr(false_matches, "requested_curve", follows_all)
    one, tilted, own = (
        made("one", "a", flat, 0),
        made("tilted", "b", 3.0 * tilt, 1),
        made("own", "a", flat, 0),
    )
    harm, help_ = false_matches.compared(one, tilted), false_matches.compared(one, own)
    # Followed in full: the finished song gets all of the tilt, the degraded one goes from a third of it to all.
    assert harm.kind == "foreign" and harm.alike < 0.5
    assert harm.finished_db == pytest.approx(3.0 * tilt.std())
    assert harm.degraded_db == pytest.approx(2.0 * tilt.std())
    assert help_.kind == "same group" and help_.alike == pytest.approx(1.0)
    assert help_.finished_db == 0.0 and help_.degraded_db == pytest.approx(-tilt.std())
    lines = false_matches.summary([harm, help_, harm._replace(finished_db=0.0)]).splitlines()
    assert lines[2].startswith("| foreign, unlike | 2 | 2 (100.00 %) | 1 (50.00 %),")
    assert lines[3].startswith("| same group, alike | 1 | 1 (100.00 %) | 0 (0.00 %),")


def test_the_short_cut_of_the_false_matches_changes_nothing() -> None:
    levels = np.random.default_rng(8).normal(0.0, 12.0, (2, len(false_matches.CENTRES_HZ)))
    fine = np.random.default_rng(9).standard_normal(255)
    one, other = (false_matches.Profile(x, np.ones(x.size, dtype=bool), -14.0, 30.0, fine) for x in levels)
    curve_db, likely = false_matches.requested_curve(one, other)
    match = false_matches.match_references(one, [(other, 1.0)])
    assert np.abs(curve_db - match.curve_db).max() < false_matches.MOVES_DB
    assert likely == pytest.approx(match.same_song, abs=1e-9)


def test_the_equaliser_of_the_study_stays_within_its_range() -> None:
    for seed in range(20):
        sections = random_equaliser(np.random.default_rng(seed))
        assert 3 <= len(sections) <= 6
        response_db = 20.0 * np.log10(np.abs(sosfreqz(sections, false_matches.CENTRES_HZ, fs=RATE)[1]))
        assert 0.3 < np.abs(response_db).max() < 36.0
