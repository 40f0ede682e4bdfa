"""The studies of references: what they compare with what, how they judge it, and how they call Matchering."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter, sosfreqz

from neural_mastering.dsp import rbj

FOLDER = Path(__file__).parents[2] / "experiments" / "reference_matching"
NAMES = ("bootstrap", "excerpts", "judge", "lookalikes", "peer", "run", "stages")
RATE = 44_100
SONGS = [{"file": f"{group}__{i}.flac", "group": group} for group in "abc" for i in range(3)]


@pytest.fixture(scope="module")
def study() -> Iterator[Any]:
    """The experiment's modules; other experiments have modules of the same names."""
    others = {name: sys.modules.pop(name) for name in NAMES if name in sys.modules}
    sys.path.insert(0, str(FOLDER))
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in NAMES})
    finally:
        sys.path.remove(str(FOLDER))
        for name in NAMES:
            sys.modules.pop(name, None)
        sys.modules.update(others)


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    """Four seconds of filtered noise that swells, with some side."""
    return noise(0, 0.9)


def noise(seed: int, pole: float) -> np.ndarray:
    dice = np.random.default_rng(seed)
    mid, side = lfilter([0.02], [1.0, -pole], dice.standard_normal((2, 4 * RATE)))
    swell = 1.0 + 0.5 * np.sin(np.arange(mid.size) * (2.0 * np.pi / RATE))
    return np.stack([mid + 0.3 * side, mid - 0.3 * side]) * swell


def test_loudness_is_no_error(study: Any, song: np.ndarray) -> None:
    judge = study.judge.Judge(song)
    for result in (song, song * 0.2, np.pad(song, ((0, 0), (0, 100)))):
        assert max(*judge.tone(result), *judge.movement(result)) < 2e-3


def test_planted_errors_are_found_where_they_are(study: Any, song: np.ndarray) -> None:
    judge = study.judge.Judge(song)
    tilted = study.run.filtered(rbj.sections(("peak",), [1_000.0], [6.0], [0.7], RATE), song)
    assert judge.tone(tilted)[0] > 1.0
    assert judge.tone(tilted)[0] > 10.0 * judge.movement(tilted)[1]
    mid, side = 0.5 * (song[0] + song[1]), 0.5 * (song[0] - song[1])
    wide = np.stack([mid + 2.0 * side, mid - 2.0 * side])
    assert judge.movement(wide)[1] == pytest.approx(20.0 * np.log10(2.0), abs=0.01)
    loud = np.tile(np.repeat([1.0, 2.0], RATE), 2)  # two levels 6.02 dB apart, on top of the swell
    assert judge.movement(song * loud)[0] > 1.0


def chord() -> np.ndarray:
    """Four seconds of three notes with a few partials: third octaves full and nearly empty in turn."""
    at_s = np.arange(4 * RATE) / RATE
    partials = [note * k for note in (98.0, 220.0, 700.0) for k in (1, 3, 8)]
    tones = sum(np.sin(2.0 * np.pi * f * at_s) / np.sqrt(f) for f in partials)
    return np.stack([tones, tones]) + 1e-3 * noise(7, 0.5)


def test_another_song_changes_no_sample_and_the_own_master_does(study: Any, song: np.ndarray) -> None:
    for result in study.stages.matched(song, chord()).values():
        assert np.array_equal(result, song)
    master = study.run.filtered(rbj.sections(("high_shelf",), [3_000.0], [5.0], [0.7], RATE), song)
    judge = study.judge.Judge(master)
    result = study.stages.matched(song, master)[study.stages.EQUALISER]
    assert judge.tone(result)[0] < 0.4 * judge.tone(song)[0]


@pytest.mark.parametrize("number", range(len(SONGS)))
def test_references_are_what_their_names_say(study: Any, number: int) -> None:
    found = study.stages.references_of(number, SONGS)
    own, same, foreign = (found[name] for name in study.stages.REFERENCES)
    assert own is SONGS[number]
    assert same is not own and same["group"] == own["group"]
    assert foreign["group"] != own["group"]


def test_a_song_alone_in_its_group_has_no_neighbour(study: Any) -> None:
    assert list(study.stages.references_of(0, [SONGS[0], SONGS[3]])) == ["own master", "foreign"]


def test_references_of_the_first_study(study: Any) -> None:
    groups = {name: [Path(name) / f"{i}.wav" for i in range(3)] for name in "abc"}
    dice = np.random.default_rng(0)
    for _ in range(50):
        same, foreign = study.run.other_songs(groups["b"][1], groups, dice)
        assert same in groups["b"] and same != groups["b"][1] and foreign not in groups["b"]
    assert study.run.chosen(groups, ["c", "a"], 3) == [groups["c"][0], groups["a"][0], groups["c"][1]]


def test_worse_counts_each_error(study: Any) -> None:
    nothing = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, np.nan]])
    errors = np.array([[1.1, 2.0], [0.9, 2.0 + 1e-9], [1.5, np.nan]])
    assert study.bootstrap.worse(errors, nothing) == "2 / 0"


def test_intervals_of_the_mean(study: Any) -> None:
    values = np.random.default_rng(1).normal(3.0, 1.0, 400)
    mean, low, high = map(float, re.findall(r"[\d.]+", study.bootstrap.interval(values, 4)))
    assert mean == pytest.approx(values.mean(), abs=1e-4)
    error = values.std() / np.sqrt(len(values))
    assert (low, high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.25 * error)
    assert study.bootstrap.interval(np.full(5, 2.0)) == "2.00 [2.00, 2.00]"


def test_tables_hold_what_was_measured(study: Any, tmp_path: Path) -> None:
    rows = [("a", "nothing", "", 2.0, 0.5, 0.3, np.nan), ("b", "nothing", "", 4.0, 0.5, 0.3, 1.0)]
    rows += [(s, "equaliser", "own master", 1.0, 0.6, 0.3, 0.5) for s in "ab"]
    lines = study.stages.summary(rows).splitlines()
    assert "| 3.000 [2.000, 4.000] |" in lines[2] and lines[2].endswith("| 1.000 [1.000, 1.000] |  |")
    assert lines[3].endswith("| 0 / 2 / 0 / 0 |")
    table = [
        {"song": s, "system": system, "reference": r, "ltas_db": str(ltas), "mr_stft": "0.5"}
        for s, base in (("a", 2.0), ("b", 4.0))
        for system, r, ltas in (("nothing", "", base), ("default", "foreign", base), ("full", "foreign", 5.0))
    ]
    lines = study.run.summary(table).splitlines()
    assert "| 0.00 [0.00, 0.00] |" in lines[3] and lines[3].endswith("| 0 / 0 |")
    assert "| 2.00 [1.00, 3.00] |" in lines[4] and lines[4].endswith("| 2 / 0 |")


def test_the_middle_is_read(study: Any, tmp_path: Path) -> None:
    ramp = np.arange(4 * RATE) / (8.0 * RATE)
    soundfile.write(tmp_path / "ramp.wav", ramp, RATE, subtype="DOUBLE")
    assert np.array_equal(study.excerpts.read(tmp_path / "ramp.wav", 2.0)[0], ramp[RATE : 3 * RATE])
    assert study.excerpts.read(tmp_path / "ramp.wav", 60.0).shape == (1, 4 * RATE)
    soundfile.write(tmp_path / "other.wav", ramp, 48_000)
    with pytest.raises(SystemExit, match="48000 Hz"):
        study.excerpts.read(tmp_path / "other.wav")


STAND_IN = """
import soundfile
def pcm24(path): return path
def process(target, reference, results):
    (target, rate), (reference, _) = soundfile.read(target), soundfile.read(reference)
    soundfile.write(results[0], 0.5 * target + 0.25 * reference, rate, subtype="PCM_24")
"""


def test_matchering_gets_the_song_and_each_reference(
    study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "matchering.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    dice = np.random.default_rng(3)
    audio, one, two = (dice.uniform(-0.5, 0.5, (2, 1_000)) for _ in range(3))
    found = study.peer.by_peer(Path(sys.executable), audio, {"one": one, "two": 8.0 * two})
    assert found["one"] == pytest.approx(0.5 * audio + 0.25 * one, abs=1e-6)
    limited = 8.0 * two / np.abs(8.0 * two).max()
    assert found["two"] == pytest.approx(0.5 * audio + 0.25 * limited, abs=1e-6)


def test_a_peer_that_fails_says_why(study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "matchering.py").write_text("raise ImportError('no such thing here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SystemExit, match="no such thing here"):
        study.peer.by_peer(Path(sys.executable), np.zeros((2, 100)), {})


def test_what_a_lookalike_does_is_counted(study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    look = study.lookalikes
    octaves = np.log2(look.CENTRES_HZ / 1_000.0)
    flat, tilt = np.zeros(len(octaves)), 2.0 * octaves
    fines = np.random.default_rng(6).standard_normal((3, 255))

    def made(name: str, group: str, levels_db: np.ndarray, number: int) -> Any:
        profile = look.Profile(levels_db, np.ones(len(octaves), dtype=bool), -14.0, 30.0, fines[number])
        return look.Song(name, group, profile, tilt)

    def follows_all(song: Any, reference: Any) -> tuple[np.ndarray, float]:
        return reference.levels_db - song.levels_db, 1.0

    monkeypatch.setattr(look, "asked", follows_all)
    one, tilted, own = (
        made("one", "a", flat, 0),
        made("tilted", "b", 3.0 * tilt, 1),
        made("own", "a", flat, 0),
    )
    harm, help_ = look.compared(one, tilted), look.compared(one, own)
    # Followed in full: the finished song gets all of the tilt, the degraded one goes from a third of it to all.
    assert harm.kind == "foreign" and harm.alike < 0.5
    assert harm.finished_db == pytest.approx(3.0 * tilt.std())
    assert harm.degraded_db == pytest.approx(2.0 * tilt.std())
    assert help_.kind == "same group" and help_.alike == pytest.approx(1.0)
    assert help_.finished_db == 0.0 and help_.degraded_db == pytest.approx(-tilt.std())
    lines = look.summary([harm, help_, harm._replace(finished_db=0.0)]).splitlines()
    assert lines[2].startswith("| foreign, unlike | 2 | 2 (100.00 %) | 1 (50.00 %),")
    assert lines[3].startswith("| same group, alike | 1 | 1 (100.00 %) | 0 (0.00 %),")


def test_a_short_cut_of_the_lookalikes_changes_nothing(study: Any) -> None:
    look = study.lookalikes
    levels = np.random.default_rng(8).normal(0.0, 12.0, (2, len(look.CENTRES_HZ)))
    fine = np.random.default_rng(9).standard_normal(255)
    one, other = (look.Profile(x, np.ones(x.size, dtype=bool), -14.0, 30.0, fine) for x in levels)
    curve_db, likely = look.asked(one, other)
    match = look.match_references(one, [(other, 1.0)])
    assert np.abs(curve_db - match.curve_db).max() < look.MOVES_DB
    assert likely == pytest.approx(match.same_song, abs=1e-9)


def test_the_equaliser_of_the_study_stays_within_its_range(study: Any) -> None:
    for seed in range(20):
        sections = study.run.random_equaliser(np.random.default_rng(seed))
        assert 3 <= len(sections) <= 6
        response_db = 20.0 * np.log10(np.abs(sosfreqz(sections, study.lookalikes.CENTRES_HZ, fs=RATE)[1]))
        assert 0.3 < np.abs(response_db).max() < 36.0
