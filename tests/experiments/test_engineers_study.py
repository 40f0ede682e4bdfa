"""The study of the engineers keeps its scores, and counts each order of the training songs."""

import json
from pathlib import Path

import numpy as np

from experiments.common.csv_files import read_rows, write_rows
from experiments.engineers.hearing import CENTRES_HZ
from experiments.engineers.songs import Song
from experiments.engineers.study import Bench, Cell, cells_of
from experiments.engineers.systems import average_eq, identity
from experiments.engineers.tables import cell_of, interval_table, rows_of


def _song(out: Path, index: int) -> Song:
    """A song whose numbers are kept already."""
    rng = np.random.default_rng(index)
    song = Song(f"package{index % 4}", f"song{index}", out / "absent.flac")
    held = {
        "levels_db": rng.normal(0.0, 3.0, len(CENTRES_HZ)).tolist(),
        "level": {"loudness_lufs": -18.0, "plr_db": 14.0, "lra_lu": 6.0},
        "percussiveness": float(rng.uniform(0.35, 0.65)),
        "density": 0.5,
        "presence_fluctuation_db": 6.0,
        "correlation": 0.5,
        "side_db": -8.0,
    }
    file = out / "mixes" / f"{song.key}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(held), "utf-8")
    return song


def _cells(out: Path, name: str) -> list[Cell]:
    songs = [_song(out, i) for i in range(18)]
    given = Bench(songs[:12], songs[12:], out)
    systems = {"identity": identity, "average EQ": average_eq}
    return cells_of(name, given, (6, 12), (0, 1, 2), systems, lambda _: None)


def test_each_order_is_scored_alone_and_all_songs_have_one_order(tmp_path: Path) -> None:
    six, twelve = [cell for cell in _cells(tmp_path, "bass") if cell.system == "average EQ"]
    assert len(six.orders) == 3 and len(set(six.orders)) == 3
    assert abs(np.mean(six.orders) - six.score.song_dependent.value) < 1e-9  # the mean of squared errors
    assert twelve.orders == (twelve.score.song_dependent.value,)


def test_the_same_curve_for_every_song_is_scored_by_the_whole_move(tmp_path: Path) -> None:
    cells = _cells(tmp_path, "constant")
    assert {cell.orders[0] for cell in cells if cell.system == "identity"} == {0.0}
    assert all(min(cell.orders) > 0.999 for cell in cells if cell.system == "average EQ")


def test_scores_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    cells = _cells(tmp_path, "constant") + _cells(tmp_path, "bass")
    write_rows(tmp_path / "scores.csv", rows_of(cells))
    again = [cell_of(row) for row in read_rows(tmp_path / "scores.csv")]
    assert rows_of(again)[0].keys() == rows_of(cells)[0].keys()
    assert str(rows_of(again)) == str(rows_of(cells))  # NaN included
    assert interval_table(again, "average EQ") == interval_table(cells, "average EQ")
