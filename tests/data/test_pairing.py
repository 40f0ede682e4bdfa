"""What is a pair, and what is refused with which remedy."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.data.errors import DataError
from neural_mastering.data.pairing import find_pairs


@pytest.mark.parametrize("suffix", [".wav", ".FLAC", ".aiff", ".AIF", ".ogg", ".mp3"])
def test_every_format_pairs_with_wav(tmp_path: Path, write_song, suffix: str) -> None:
    write_song("a", sides=("unmastered",), rate=44_100)
    kind = {".mp3": "MPEG_LAYER_III", ".ogg": "VORBIS"}.get(suffix, "PCM_16")
    write_song("a", sides=("mastered",), rate=44_100, suffix=suffix.replace("AIF", "aiff"), subtype=kind)
    written = next((tmp_path / "mastered").iterdir())
    written.rename(written.with_suffix(suffix))
    (pair,) = find_pairs(tmp_path)
    assert pair.mastered.path.name == f"a{suffix}"
    assert pair.mastered.frames == pair.unmastered.frames == 4 * 44_100


@pytest.mark.parametrize("name", ["My Song (v2) [final]", "a.b.c", "Émile – naïve", "=x,y%", "曲"])
def test_odd_names(tmp_path: Path, write_song, name: str) -> None:
    write_song(name)
    assert [pair.name for pair in find_pairs(tmp_path)] == [name]


def test_names_match_whatever_the_case_and_accent_encoding(tmp_path: Path, write_song) -> None:
    write_song("Cafe\u0301", sides=("unmastered",))
    write_song("caf\u00e9", sides=("mastered",))
    (pair,) = find_pairs(tmp_path)
    assert pair.mastered.path.stem == "caf\u00e9"


def test_hidden_and_other_files_are_ignored(tmp_path: Path, write_song) -> None:
    write_song("a")
    for name in (".DS_Store", "._a.wav", "notes.txt"):
        (tmp_path / "unmastered" / name).write_text("x")
    assert len(find_pairs(tmp_path)) == 1


def test_missing_sides_are_named(tmp_path: Path, write_song) -> None:
    for name in ("a", "b", "c"):
        write_song(name)
    (tmp_path / "mastered" / "b.wav").unlink()
    with pytest.raises(DataError, match=r"mastered for 'b\.wav': add the missing side"):
        find_pairs(tmp_path)
    (tmp_path / "unmastered" / "b.wav").unlink()
    (tmp_path / "unmastered" / "c.wav").unlink()
    with pytest.raises(DataError, match=r"unmastered for 'c\.wav'"):
        find_pairs(tmp_path)


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no data folder"):
        find_pairs(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no folder .*unmastered"):
        find_pairs(tmp_path)
    (tmp_path / "unmastered").mkdir()
    with pytest.raises(DataError, match="holds no audio files"):
        find_pairs(tmp_path)


def test_two_files_with_one_stem(tmp_path: Path, write_song) -> None:
    write_song("a")
    write_song("A", sides=("unmastered",), suffix=".flac", subtype="PCM_16")
    with pytest.raises(DataError, match=r"two files of one song, .*: keep one"):
        find_pairs(tmp_path)


def test_corrupt_and_unread_formats(tmp_path: Path, write_song) -> None:
    write_song("a")
    (tmp_path / "mastered" / "a.wav").write_bytes(b"not audio at all")
    with pytest.raises(DataError, match=r"a\.wav cannot be read as audio"):
        find_pairs(tmp_path)
    (tmp_path / "mastered" / "a.wav").rename(tmp_path / "mastered" / "a.m4a")
    with pytest.raises(DataError, match=r"'a\.m4a'.*Convert to WAV or FLAC"):
        find_pairs(tmp_path)


def test_lengths_may_differ_by_ten_milliseconds_at_most(tmp_path: Path, write_song) -> None:
    write_song("a", seconds=4.0, sides=("unmastered",))
    write_song("a", seconds=4.010, sides=("mastered",))
    assert len(find_pairs(tmp_path)) == 1
    write_song("a", seconds=4.011, sides=("mastered",))
    with pytest.raises(DataError, match=r"unmastered 4\.000 s, mastered 4\.011 s.*aligned"):
        find_pairs(tmp_path)


def test_channel_counts(tmp_path: Path, write_song) -> None:
    write_song("a", channels=1, sides=("unmastered",))
    write_song("a", channels=2, sides=("mastered",))
    with pytest.raises(DataError, match="differ in channels: unmastered 1, mastered 2"):
        find_pairs(tmp_path)
    write_song("a", channels=3)
    with pytest.raises(DataError, match="3 channels: export it as mono or stereo"):
        find_pairs(tmp_path)


def test_rates_may_differ_with_a_warning(tmp_path: Path, write_song) -> None:
    write_song("a", rate=8_000, sides=("unmastered",))
    write_song("a", rate=12_000, sides=("mastered",))
    with pytest.warns(UserWarning, match="8000 and 12000 Hz"):
        assert len(find_pairs(tmp_path)) == 1
    write_song("a", rate=12_000, sides=("mastered",), seconds=2.0)  # one side's rate is wrong in its header
    with pytest.raises(DataError, match="differ in length"):
        find_pairs(tmp_path)


def test_file_without_samples(tmp_path: Path, write_song) -> None:
    write_song("a", audio=np.zeros((0, 2)))
    assert soundfile.info(tmp_path / "unmastered" / "a.wav").frames == 0
    with pytest.raises(DataError, match="holds no audio"):
        find_pairs(tmp_path)


def test_manifest_names_groups_and_splits(tmp_path: Path, write_song) -> None:
    for name in ("a", "b"):
        write_song(name)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("file,package,split\na.flac,game,train\nb,game,validation\n")
    assert [(pair.name, pair.group, pair.split) for pair in find_pairs(tmp_path)] == [
        ("a", "game", "train"),
        ("b", "game", "validation"),
    ]
    for text, message in (
        ("file,split\na,train\n", "names no split for 'b'"),
        ("file,split\na,trian\n", "'trian' of 'a' is not one of"),
        ("title\na\n", "no column file or name or song"),
        ("file\na\nA.wav\n", "two rows"),
    ):
        manifest.write_text(text)
        with pytest.raises(DataError, match=message):
            find_pairs(tmp_path)
