"""The engineer's file: the same bytes again, and a refusal of what is damaged."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_engineer import planted_pair, planted_songs

from neural_mastering.engineer.bundle import EngineerError, find_engineer, read_engineer, write_engineer
from neural_mastering.engineer.fit import fit
from neural_mastering.engineer.learned import LearnedEngineer
from neural_mastering.engineer.traits import filled_levels_db


@pytest.fixture(scope="module")
def engineer() -> LearnedEngineer:
    songs = planted_songs(12)
    return fit(
        [planted_pair(s, f"söng {i}", lambda s: -0.4 * filled_levels_db(s)) for i, s in enumerate(songs)]
    )


def test_what_was_read_is_written_back_byte_by_byte(engineer: LearnedEngineer, tmp_path: Path) -> None:
    first = write_engineer(engineer, tmp_path / "model.json")
    again = read_engineer(first)
    assert write_engineer(again, tmp_path / "again.json").read_bytes() == first.read_bytes()
    song = planted_songs(1, seed=5)[0]
    one, two = engineer.predict(song), again.predict(song)
    assert np.abs(one.curve_db - two.curve_db).max() < 1e-4
    assert two.plr_db == pytest.approx(one.plr_db, abs=1e-4)
    assert again.known.names == engineer.known.names


def test_what_is_imposed_is_kept_and_older_files_impose_nothing(
    engineer: LearnedEngineer, tmp_path: Path
) -> None:
    path = write_engineer(replace(engineer, imposed=("width_db",)), tmp_path / "model.json")
    assert read_engineer(path).imposed == ("width_db",)
    content = json.loads(path.read_text())
    del content["engineer"]["imposed"]
    body = {"engineer": content["engineer"], "about": content["about"]}
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    path.write_text(json.dumps({**content, "sha256": hashlib.sha256(text.encode()).hexdigest()}))
    assert read_engineer(path).imposed == ()


def test_a_changed_number_is_noticed(engineer: LearnedEngineer, tmp_path: Path) -> None:
    path = write_engineer(engineer, tmp_path / "model.json")
    content = json.loads(path.read_text())
    content["engineer"]["mean_db"][3] += 0.1
    path.write_text(json.dumps(content))
    with pytest.raises(EngineerError, match="damaged or was edited"):
        read_engineer(path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "neural_mastering model"}'])
def test_what_is_no_engineer_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(EngineerError, match=r"model\.json"):
        read_engineer(path)
    assert find_engineer(tmp_path) is None


def test_a_later_version_is_refused(engineer: LearnedEngineer, tmp_path: Path) -> None:
    path = write_engineer(engineer, tmp_path / "model.json")
    path.write_text(path.read_text().replace('"format_version": 2', '"format_version": 3'))
    with pytest.raises(EngineerError, match="format version 3"):
        read_engineer(path)
    assert find_engineer(tmp_path) == path
