"""Files of styles: what is written comes back, and nothing else is believed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neural_mastering.errors import InputError
from neural_mastering.styles.learn import learn_style
from neural_mastering.styles.profile import StyleProfile
from neural_mastering.styles.style_file import content_hash, load_style, save_style
from tests.styles.conftest import MakeSong


@pytest.fixture
def style(make_song: MakeSong) -> StyleProfile:
    known = np.arange(29) > 1
    learned = learn_style("mine", [make_song(i, filled=known) for i in range(8)])
    return replace(learned.profile, sources=("eight songs – Ωmega",), licence="CC0-1.0", about="A test.")


def test_what_is_written_comes_back(style: StyleProfile, tmp_path: Path) -> None:
    save_style(style, tmp_path / "a.json")
    back = load_style(tmp_path / "a.json")
    np.testing.assert_allclose(back.tone.mean, style.tone.mean, atol=0.0051)
    kept = np.ix_(style.tone.known, style.tone.known)
    np.testing.assert_allclose(back.tone.covariance[kept], style.tone.covariance[kept], atol=0.00051)
    np.testing.assert_array_equal(back.tone.known, style.tone.known)
    assert (back.name, back.sources, back.licence, back.about, back.songs, back.is_absolute) == (
        style.name, style.sources, style.licence, style.about, 8, True,
    )  # fmt: skip
    assert back.plr_db is not None and style.plr_db is not None
    assert back.plr_db.mean == pytest.approx(style.plr_db.mean, abs=0.0051)
    assert back.crest_db is not None and back.side_sd_db is not None
    save_style(back, tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").stat().st_size < 8_000


def test_what_was_not_measured_is_absent(style: StyleProfile, tmp_path: Path) -> None:
    bare = StyleProfile(style.name, style.tone, style.songs)
    save_style(bare, tmp_path / "bare.json")
    written = json.loads((tmp_path / "bare.json").read_text())["style"]
    assert not {"lufs", "plr_db", "lra_lu", "side_db", "crest_db", "crest_sd_db"} & set(written)
    back = load_style(tmp_path / "bare.json")
    assert back.lufs is None and back.side_db is None and back.crest_sd_db is None and not back.is_absolute


def _changed(path: Path, change: dict, rehash: bool = True) -> Path:
    content = json.loads(path.read_text())
    content["style"].update(change)
    if rehash:
        content["content_sha256"] = content_hash(content["style"])
    changed = path.with_name("changed.json")
    changed.write_text(json.dumps(content))
    return changed


def test_a_changed_number_is_noticed_and_other_line_breaks_are_not(
    style: StyleProfile, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    save_style(style, path)
    with pytest.raises(InputError, match="has changed since it was written"):
        load_style(_changed(path, {"songs": 9}, rehash=False))
    assert load_style(_changed(path, {}, rehash=False)).songs == 8  # written anew in one line


@pytest.mark.parametrize(
    "change",
    [
        {"level_db": [0.0] * 28},
        {"level_covariance_db2": [[1.0]]},
        {"level_covariance_db2": [[0.0] * (n + 1) for n in range(27)]},
        {"level_covariance_db2": [[float("nan")] * (n + 1) for n in range(27)]},
        {"third_octaves_hz": [100.0] * 29},
        {"songs": 0},
        {"songs": None},
        {"plr_db": {"mean": 10.0, "sd": 0.0}},
        {"plr_db": 10.0},
        {"side_sd_db": [-1.0] * 29},
        {"crest_db": "loud"},
    ],
)
def test_numbers_that_make_no_style_are_refused(style: StyleProfile, tmp_path: Path, change: dict) -> None:
    save_style(style, tmp_path / "a.json")
    with pytest.raises(InputError, match="holds numbers that can't be used"):
        load_style(_changed(tmp_path / "a.json", change))


def test_other_files_are_refused(style: StyleProfile, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for data in (b"", b"[]", b"{}", b"\xff\xfe", b'{"format": "other"}', b"[" * 100_000):
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"expected a (JSON )?file made by nm-style learn"):
            load_style(path)
    path.write_bytes(b" " * (2 << 20))
    with pytest.raises(InputError, match="too large"):
        load_style(path)
    with pytest.raises(InputError, match="can't be read"):
        load_style(tmp_path / "nowhere.json")
    save_style(style, path)
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    with pytest.raises(InputError, match="this program reads 1: update it"):
        load_style(path)
