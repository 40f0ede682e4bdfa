"""Where segments may begin."""

import numpy as np
import pytest

from neural_mastering.data.errors import DataError

RATE = 8_000
SEGMENT = 2 * RATE


def tone(seconds: float, level: float = 0.1) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.repeat((level * np.sqrt(2) * np.sin(2 * np.pi * 440 * time))[:, None], 2, axis=1)


def test_fixed_segments_cover_the_song_and_end_where_it_ends(make_song) -> None:
    song = make_song("a", tone(7.3))
    starts = song.fixed_starts(SEGMENT, -60.0)
    assert starts.tolist() == [0, 2 * RATE, 4 * RATE, round(5.3 * RATE)]
    covered = np.zeros(song.frames, dtype=bool)
    for start in starts:
        covered[start : start + SEGMENT] = True
    assert covered.all()
    assert make_song("b", tone(6.0)).fixed_starts(SEGMENT, -60.0).tolist() == [0, 2 * RATE, 4 * RATE]
    assert make_song("c", tone(2.0)).fixed_starts(SEGMENT, -60.0).tolist() == [0]


def test_segments_silent_on_either_side_are_left_out(make_song) -> None:
    before = tone(10.0)
    after = tone(10.0)
    before[2 * RATE : 4 * RATE] = 0.0
    after[6 * RATE : 8 * RATE] *= 1e-6
    assert make_song("a", before, after).fixed_starts(SEGMENT, -60.0).tolist() == [0, 4 * RATE, 8 * RATE]


def test_the_floor_is_an_rms_level(make_song) -> None:
    song = make_song("a", tone(4.0, level=1e-3), tone(4.0))  # −60 dBFS RMS
    assert len(song.fixed_starts(SEGMENT, -60.1)) == 2
    with pytest.raises(DataError, match=r"'a' is never above -59\.9 dBFS on both sides"):
        song.fixed_starts(SEGMENT, -59.9)
    with pytest.raises(DataError, match="never above"):
        song.random_starts(SEGMENT, -59.9)


def test_random_starts_are_the_audible_ones_on_a_grid_of_100_ms(make_song) -> None:
    audio = tone(9.0)
    audio[3 * RATE : 7 * RATE] = 0.0
    song = make_song("a", audio)
    starts = song.random_starts(SEGMENT, -60.0)
    grid = np.arange(0, 7 * RATE + 1, RATE // 10)
    power = np.array([np.square(audio[start : start + SEGMENT]).mean() for start in grid])
    assert starts.tolist() == grid[power > 1e-6].tolist()
    assert 0 < len(starts) < len(grid)
    assert make_song("b", tone(2.0)).random_starts(SEGMENT, -60.0).tolist() == [0]


def test_sides_that_differ_by_a_few_samples_use_the_shorter(make_song) -> None:
    song = make_song("a", tone(4.0), tone(4.005))
    assert song.frames == 4 * RATE
    assert song.fixed_starts(SEGMENT, -60.0)[-1] + SEGMENT == 4 * RATE
