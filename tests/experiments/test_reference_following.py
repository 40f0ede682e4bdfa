"""The study of foreign references: its pairs, its measures, and what is in a row."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import lfilter, sosfilt

from experiments.reference_matching import following
from experiments.reference_matching.content import Crests, curve_of, jaggedness_db
from experiments.reference_matching.following_tables import COLUMNS, medians, summary
from neural_mastering.dsp import rbj
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ

RATE = 44_100
Samples = NDArray[np.float64]


def noise(seed: int, pole: float) -> Samples:
    mid, side = lfilter([0.02], [1.0, -pole], np.random.default_rng(seed).standard_normal((2, 4 * RATE)))
    swell = 1.0 + 0.5 * np.sin(np.arange(mid.size) * (2.0 * np.pi / RATE))
    return np.stack([mid + 0.3 * side, mid - 0.3 * side]) * swell


def test_pairs_are_foreign_and_every_song_is_used() -> None:
    groups = {name: [Path(name) / f"{i}.flac" for i in range(3)] for name in "abc"}
    pairs = following.foreign_pairs(groups, 18)
    assert len(set(pairs)) == 18 and all(song.parent != other.parent for song, other in pairs)
    assert {song for song, _ in pairs[:9]} == {song for found in groups.values() for song in found}
    with pytest.raises(SystemExit, match="two groups"):
        following.foreign_pairs({"a": groups["a"]}, 2)


def test_songs_are_taken_evenly() -> None:
    songs = [Path(f"{i}.flac") for i in range(10)]
    assert following.evenly(songs, 3) == [songs[0], songs[3], songs[7]]
    assert following.evenly(songs, 30) == songs and following.evenly([], 3) == []


def test_jaggedness_of_known_curves() -> None:
    x = np.arange(25.0)
    assert jaggedness_db(0.1 * x**2 - x) == pytest.approx(0.0, abs=1e-9)
    assert jaggedness_db(0.01 * x**3) == pytest.approx(0.06)
    assert jaggedness_db(np.where(x % 2, 1.0, -1.0)) == pytest.approx(8.0)


def test_a_curve_leaves_level_out() -> None:
    known = CENTRES_HZ < 9_000.0
    curve = curve_of(np.zeros(CENTRES_HZ.size), np.log2(CENTRES_HZ) + 7.0, known)
    assert curve.size == int((known & BROAD).sum()) and curve.mean() == pytest.approx(0.0, abs=1e-12)


def test_crests_see_clicks_and_no_equaliser() -> None:
    song = noise(0, 0.9)
    crests = Crests(song)
    assert crests.largest_change_db(0.1 * song) == pytest.approx(0.0, abs=1e-6)
    equalised = np.asarray(sosfilt(rbj.sections(("peak",), [1_000.0], [6.0], [0.7], RATE), song))
    assert crests.largest_change_db(equalised) < 1.0
    clicked = song.copy()
    clicked[:, RATE] += 20.0 * np.abs(song).max()
    assert crests.largest_change_db(clicked) > 3.0


def test_a_row_says_how_near_a_song_came(tmp_path: Path) -> None:
    files = []
    for name, audio in (("a/dull", noise(1, 0.95)), ("b/bright", noise(2, 0.5))):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir()
        soundfile.write(path, audio.T / np.abs(audio).max(), RATE, subtype="FLOAT")
        files.append(path)
    rows = following.rows_of(files[0], files[1], 4.0, noise(2, 0.5))
    default, full, theirs = rows
    assert [row["system"] for row in rows] == [*following.SHARES, following.PEER]
    ratio = [float(row["tone_db"]) / float(row["tone_before_db"]) for row in rows]
    assert ratio[1] < ratio[0] < 0.75 and ratio[1] < 0.45 and ratio[2] < 0.2, ratio
    assert float(default["perfect_db"]) == pytest.approx(float(default["tone_db"]), rel=0.2)
    assert float(default["jaggedness_db"]) < 1.0 and np.isnan(float(theirs["bands"]))
    assert float(full["move_db"]) > float(default["move_db"]) and float(default["notes"]) > 0.98
    tone_only = following.rows_of(files[0], files[1], 4.0, None, is_whole=False)
    assert len(tone_only) == 2 and np.isnan(float(tone_only[0]["width_db"]))
    lines = summary([*rows, *tone_only]).splitlines()
    assert len(lines) == 5 and lines[2].startswith("| default (0.6) | 2 | ")
    table = [
        {"song": f"a/{i}", "system": "x", **dict.fromkeys(COLUMNS, 2.0), "tone_db": after}
        for i, after in enumerate((0.5, 1.0, 3.0))
    ]
    lines = medians([*table, {**table[0], "width_db": float("nan")}]).splitlines()
    assert lines[2] == "| x | tone | 4 | 0.38 [0.25, 1.50] | 1.50 | 1 |"
    assert lines[4] == "| x | width | 3 | 1.00 [1.00, 1.00] | 1.00 | 0 |"


def test_nothing_is_followed_at_a_share_of_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "g" / "s.wav"
    path.parent.mkdir()
    soundfile.write(path, noise(3, 0.9).T, RATE, subtype="FLOAT")
    other = path.with_name("o.wav")
    soundfile.write(other, noise(4, 0.2).T, RATE, subtype="FLOAT")
    nothing = replace(following.SHARES["default (0.6)"], tone=0.0, width=0.0, dynamics=0.0)
    monkeypatch.setattr(following, "SHARES", {"nothing": nothing})
    (row,) = following.rows_of(path, other, 4.0, None)
    assert row["tone_db"] == pytest.approx(float(row["tone_before_db"]), abs=1e-9)
    assert row["move_db"] == pytest.approx(0.0, abs=1e-9) and row["width_db"] == row["width_before_db"]
