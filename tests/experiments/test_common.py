"""What the studies share: files, excerpts, intervals, commands, programs of others."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.stats import binom

from experiments.common.bootstrap import mean_interval, median_interval
from experiments.common.commands import run_module
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.metric_cells import cells
from experiments.common.middle import copy_middle, read_middle
from experiments.common.peers import run_peer
from experiments.common.song_folders import in_turn, songs_below, songs_by_group
from experiments.common.training_on_audio import length
from neural_mastering.config.compose import compose
from neural_mastering.config.schema import validated

RATE = 8_000


def test_rows_come_back_and_gaps_stay_empty(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_rows(path, [{"name": "Ä, b", "x": 1.5}, {"name": "c", "y": "2"}])
    assert read_rows(path) == [{"name": "Ä, b", "x": "1.5", "y": ""}, {"name": "c", "x": "", "y": "2"}]
    write_rows(path, [{"name": "a", "x": 1}], ("x",))
    assert path.read_bytes() == b"x\n1\n"


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_the_middle_is_copied_bit_by_bit(tmp_path: Path, subtype: str) -> None:
    source, target = tmp_path / "song.wav", tmp_path / "new" / "song.flac"
    samples = np.random.default_rng(0).integers(-(2**31), 2**31, (5 * RATE + 1, 2), dtype=np.int32)
    soundfile.write(source, samples, RATE, subtype=subtype)
    copy_middle(source, target, 2.0)
    whole, _ = soundfile.read(source, dtype="int32")
    made, rate = soundfile.read(target, dtype="int32")
    start = (5 * RATE + 1 - 2 * RATE) // 2
    np.testing.assert_array_equal(made, whole[start : start + 2 * RATE])
    assert rate == RATE and soundfile.info(target).subtype == subtype


def test_shorter_files_are_read_whole_and_seconds_may_be_counted_at_another_rate(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, np.arange(RATE) / RATE, RATE, subtype="DOUBLE")
    for seconds in (None, 1.0, 9.0):
        assert read_middle(path, seconds)[0].shape == (RATE, 1)
    found, _ = read_middle(path, 0.25, counted_at_hz=2 * RATE)
    np.testing.assert_array_equal(found[:, 0], np.arange(RATE // 4, 3 * RATE // 4) / RATE)


def test_groups_take_turns(tmp_path: Path) -> None:
    for name in ("b/2.wav", "b/1.flac", "a/x.ogg", "a/y.FLAC", "a/notes.txt", "c/deep/z.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    groups = songs_by_group(tmp_path)
    assert {g: [p.name for p in songs] for g, songs in groups.items()} == {
        "a": ["y.FLAC"],
        "b": ["1.flac", "2.wav"],
        "c": [],
    }
    assert [p.name for p in in_turn(groups, ["b", "a", "c"], 9)] == ["1.flac", "y.FLAC", "2.wav"]
    assert [p.name for p in in_turn(groups, ["b", "a"], 2)] == ["1.flac", "y.FLAC"]
    assert [p.name for p in songs_below(tmp_path)] == ["x.ogg", "1.flac", "2.wav", "z.wav"]


def test_intervals_against_closed_forms() -> None:
    values = np.random.default_rng(2).normal(1.0, 2.0, 900)
    low, high = mean_interval(values)
    half = 1.96 * values.std() / 30.0
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.15 * half)
    # the bootstrap's median of 101 songs is at most the k-th smallest with P(Bin(101, k/101) ≥ 51)
    songs = np.sort(values[:101])
    below = binom.sf(50, 101, np.arange(1, 102) / 101)
    for end, share in zip(median_interval(songs, [str(i) for i in range(101)]), (0.025, 0.975), strict=True):
        k = int(np.searchsorted(below, share))
        assert songs[k - 1] <= end <= songs[k + 1]
    # songs of one group are drawn together: two groups give the median of either or of both
    low, high = median_interval(np.array([1.0, 1.0, 5.0]), ["a", "a", "b"])
    assert (low, high) == (1.0, 5.0)


def test_cells_have_intervals_where_there_are_groups() -> None:
    scores = {
        "a": {"mean": 0.47123, "low": 0.324, "high": 0.5544},
        "b": {"mean": 2.0, "low": None, "high": None},
    }
    assert cells(scores, ["b", "a"]) == {"b": "2", "a": "0.471 [0.324, 0.554]"}


@pytest.mark.parametrize(("steps", "epochs"), [(100, 10), (10, 1), (1, 1), (44, 4)])
def test_a_run_has_so_many_steps_and_validates_once(steps: int, epochs: int) -> None:
    config = validated(compose(["+phase=1a", *length(steps)]))
    assert config.trainer["max_epochs"] == config.trainer["check_val_every_n_epoch"] == epochs


def test_a_command_that_fails_ends_the_study() -> None:
    run_module("base64", "-t")
    with pytest.raises(SystemExit, match=r"failed: .* -m base64 --nothing"):
        run_module("base64", "--nothing")


def test_peers_get_a_job_a_line(tmp_path: Path) -> None:
    code = "import sys, pathlib\nfor line in sys.stdin:\n    a, b = line.rstrip('\\n').split('\\t')\n"
    jobs = [(tmp_path / "one file", tmp_path / "1.txt"), (tmp_path / "two", tmp_path / "2.txt")]
    run_peer("peer", Path(sys.executable), code + "    pathlib.Path(b).write_text(a)", jobs)
    assert [b.read_text() for _, b in jobs] == [str(a) for a, _ in jobs]
    run_peer("peer", Path("/nowhere/python"), code, [])
    with pytest.raises(SystemExit, match=r"could not run peer:(.|\n)*ValueError: as it is"):
        run_peer("peer", Path(sys.executable), "raise ValueError('as it is')", jobs)
