"""A start opens no audio that it has seen before, and knows when a file has changed."""

import builtins
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from neural_mastering.data import audio_file
from neural_mastering.data import cache as cache_module
from neural_mastering.data.cache import AudioCache
from neural_mastering.data.datamodule import PairedDataModule
from neural_mastering.data.song_table import SongTable

RATE = 8_000


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """60 tracks in 20 albums, links to three files."""
    sources = []
    for number in range(3):
        sources.append(tmp_path / f"{number}.flac")
        audio = 0.1 * np.random.default_rng(number).standard_normal(((2 + number) * RATE, 1))
        soundfile.write(sources[-1], audio, RATE)
    for number in range(60):
        folder = tmp_path / "music" / f"album {number // 3}"
        folder.mkdir(parents=True, exist_ok=True)
        os.link(sources[number % 3], folder / f"song {number}.flac")
    return tmp_path / "music"


def data(music: Path, **settings: Any) -> PairedDataModule:
    settings = {"preset": "light", "seed": 0, **settings}
    return PairedDataModule(music, RATE, 1.0, 4, cache_dir=music.parent / "cache", **settings)


class Opened:
    """Counts what is opened."""

    def __init__(self) -> None:
        self.audio: list[str] = []
        self.all: list[str] = []


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Audio headers read, audio decoded, and all files opened by Python."""
    seen = Opened()
    real_info, real_decoded, real_open, real_io = (
        soundfile.info, cache_module.decode, builtins.open, Path.open,
    )  # fmt: skip
    monkeypatch.setattr(
        audio_file.soundfile, "info", lambda p: (seen.audio.append(os.fsdecode(p)), real_info(p))[1]
    )
    monkeypatch.setattr(
        cache_module,
        "decode",
        lambda file, dtype: (seen.audio.append(str(file.path)), real_decoded(file, dtype))[1],
    )
    monkeypatch.setattr(
        builtins, "open", lambda p, *a, **k: (seen.all.append(str(p)), real_open(p, *a, **k))[1]
    )
    monkeypatch.setattr(Path, "open", lambda p, *a, **k: (seen.all.append(str(p)), real_io(p, *a, **k))[1])
    yield seen


def test_the_second_start_opens_no_audio_and_a_fixed_number_of_files(music: Path, opened: Opened) -> None:
    first = data(music)
    first.setup()
    assert len([name for name in opened.audio if name.endswith(".flac")]) == 120  # header and decoding
    reference = [first.train_dataset()[0, index] for index in range(3)]
    opened.audio.clear()
    opened.all.clear()
    second = data(music)
    _ = second.train_dataset(), second.evaluation_dataset("validation"), second.summary()
    assert opened.audio == []
    assert len(opened.all) <= 4  # the index, the energies, a preset: not one a song
    for index, item in enumerate(reference):
        again = second.train_dataset()[0, index]
        assert (item["input"] == again["input"]).all() and item["start"] == again["start"]


def test_only_what_is_new_or_changed_is_read(music: Path, opened: Opened) -> None:
    data(music).setup()
    opened.audio.clear()
    changed = music / "album 3" / "song 10.flac"
    changed.unlink()  # the link, not its source
    soundfile.write(changed, 0.2 * np.random.default_rng(9).standard_normal((3 * RATE, 1)), RATE)
    soundfile.write(music / "new.flac", 0.2 * np.random.default_rng(8).standard_normal((3 * RATE, 1)), RATE)
    (music / "album 5" / "song 15.flac").unlink()
    module = data(music)
    module.setup()
    assert {Path(name).name for name in opened.audio} == {"song 10.flac", "new.flac"}
    names = [song.name for songs in module.library.splits.values() for song in songs]
    assert len(names) == 60 and "new" in names and "album 5__song 15" not in names
    song = next(s for songs in module.library.splits.values() for s in songs if s.name == "album 3__song 10")
    expected = AudioCache(music.parent / "other", RATE).fetch(audio_file.probe(changed))
    np.testing.assert_array_equal(song.target.block_energy, expected.block_energy)
    assert song.target.lufs == expected.lufs
    opened.audio.clear()
    data(music).setup()
    assert opened.audio == []
    assert len(list((music.parent / "cache").glob("*.energy"))) == 1


@pytest.mark.parametrize("damage", ["copy", "index", "energies"])
def test_damage_in_the_cache_is_noticed(music: Path, damage: str) -> None:
    reference = data(music).train_dataset()[0, 7]
    cache = music.parent / "cache"
    file = next(cache.glob({"copy": "*.f32", "index": "library_*.npz", "energies": "*.energy"}[damage]))
    file.write_bytes(file.read_bytes()[:40])
    assert (data(music).train_dataset()[0, 7]["input"] == reference["input"]).all()


def test_pairs_use_the_index_too(tmp_path: Path, write_song, opened: Opened) -> None:
    for index in range(6):
        write_song(f"s{index}", seed=index)

    def module() -> PairedDataModule:
        return PairedDataModule(tmp_path, RATE, 1.0, 2, cache_dir=tmp_path / "cache")

    first = module()
    first.setup()
    opened.audio.clear()
    second = module()
    assert [s.name for s in second.train_songs] == [s.name for s in first.train_songs]
    assert opened.audio == []


def test_a_table_holds_numbers_and_makes_songs_on_demand(music: Path) -> None:
    module = data(music)
    table = module.train_songs
    assert isinstance(table, SongTable) and table[0] is not table[0]
    assert [song.name for song in table[1:3]] == [table[1].name, table[2].name]
    # What goes to another process is some hundred bytes a song, not its energies.
    assert len(pickle.dumps(table)) < 400 * 60 + 20_000
    again = pickle.loads(pickle.dumps(table))
    np.testing.assert_array_equal(again[4].target.block_energy, table[4].target.block_energy)
    np.testing.assert_array_equal(again[4].target.read(0, 100), table[4].target.read(0, 100))
