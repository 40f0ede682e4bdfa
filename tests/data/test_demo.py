"""The bundled music and the pairs made from it."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
import torch

from neural_mastering.data import demo
from neural_mastering.data.datamodule import demo_data
from neural_mastering.data.degrade import KINDS
from neural_mastering.data.errors import DataError
from neural_mastering.dsp.biquad import equalize

SONGS = 8


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.make_demo_pairs(tmp_path_factory.mktemp("demo") / "pairs")


def rows_of(pairs: Path) -> list[dict[str, str]]:
    with (pairs / "manifest.csv").open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_every_bundled_file_is_credited_and_the_whole_stays_small() -> None:
    credits = (demo.demo_assets() / "CREDITS.md").read_text(encoding="utf-8")
    music = [path for path in demo.demo_assets().iterdir() if path.name.endswith(".ogg")]
    assert len(music) == SONGS
    assert sum(len(path.read_bytes()) for path in music) < 4_000_000
    for path in music:
        (line,) = [line for line in credits.splitlines() if f"| {path.name} |" in line]
        assert any(licence in line for licence in ("creativecommons.org/licenses", "#bsd-"))


def test_masters_are_at_the_stated_loudness_and_nothing_clips(pairs: Path) -> None:
    for path in sorted((pairs / "mastered").iterdir()):
        audio, rate = soundfile.read(path)
        meter = pyloudnorm.Meter(rate, filter_class="DeMan")
        assert meter.integrated_loudness(audio) == pytest.approx(demo.TARGET_LUFS, abs=0.05), path.name
    for path in pairs.rglob("*.flac"):
        assert soundfile.info(path).subtype == "PCM_24" and soundfile.info(path).frames == 441_000
        assert np.abs(soundfile.read(path)[0]).max() < 0.99


def test_the_manifest_holds_what_undoes_the_degradation(pairs: Path) -> None:
    for row in rows_of(pairs)[:3]:
        before, after = (
            soundfile.read(pairs / side / row["file"])[0].T for side in ("unmastered", "mastered")
        )
        frequency, gain_db = (
            torch.tensor([[float(row[f"{shelf}_shelf_{what}"]) for shelf in ("low", "high")]]).double()
            for what in ("hz", "db")
        )
        q = torch.full_like(frequency, float(row["shelf_q"]))
        audio = torch.from_numpy(before.copy())[None]
        restored = equalize(audio, frequency, -gain_db, q, 44_100.0, KINDS)[0] * 10 ** (
            -float(row["level_db"]) / 20
        )
        error = restored.numpy() - after
        assert 20 * np.log10(np.std(error) / np.std(after)) < -75.0  # the manifest rounds to 0.0001 dB


def test_the_same_bytes_each_time_and_a_second_call_changes_nothing(pairs: Path, tmp_path: Path) -> None:
    def digest(folder: Path) -> dict[str, str]:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}

    again = demo.make_demo_pairs(tmp_path / "again")
    assert digest(again) == digest(pairs) and len(digest(again)) == 2 * SONGS + 1
    times = {path: path.stat().st_mtime_ns for path in again.rglob("*")}
    assert demo.make_demo_pairs(again) == again
    assert {path: path.stat().st_mtime_ns for path in again.rglob("*")} == times
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(DataError, match="holds something else"):
        demo.make_demo_pairs(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_average_eq_is_wrong_by_decibels_for_each_validation_song(pairs: Path) -> None:
    """What only a system that listens can win: see experiments/demo_data."""
    low_db = {row["file"]: float(row["low_shelf_db"]) for row in rows_of(pairs)}
    validation = {row["file"] for row in rows_of(pairs) if row["split"] == "validation"}
    train = [low_db[file] for file in low_db if file not in validation]
    assert len(validation) == 2 and len(train) == 6
    for file in validation:
        assert abs(low_db[file] - np.mean(train)) > 3.5
        assert min(train) < low_db[file] < max(train)


def test_the_data_module_of_the_demo(pairs: Path, tmp_path: Path) -> None:
    module = demo_data(pairs, batch_size=6, cache_dir=tmp_path)
    assert [song.name for song in module.validation_songs] == list(demo.VALIDATION_SONGS)
    assert len(module.train_songs) == 6 and not module.test_songs
    assert len(module.train_dataset()) == 12 and len(module.evaluation_dataset("validation")) == 4
    assert len(module.train_dataloader()) == 2


def test_the_default_folder_lies_in_the_cache(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert demo.default_demo_folder() == tmp_path / "neural_mastering" / f"demo_{demo.recipe()}"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/nobody")
    assert demo.default_demo_folder().parent == Path("/home/nobody/.cache/neural_mastering")
