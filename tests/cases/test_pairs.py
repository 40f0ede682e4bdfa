"""Pairs in subfolders, and by every spelling of a suffix."""

import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.data.errors import DataError
from neural_mastering.data.pairing import find_pairs

SIDES = ("unmastered", "mastered")


def _write(root: Path, below: str, name: str, sides: tuple[str, ...] = SIDES) -> None:
    for side in sides:
        path = root / side / below / name
        path.parent.mkdir(parents=True, exist_ok=True)
        form = "FLAC" if name.lower().endswith("flac") else "WAV"
        soundfile.write(path, np.full((441, 2), 0.1), 44_100, format=form)


def test_each_spelling_of_a_lossless_suffix_makes_a_pair(tmp_path: Path) -> None:
    names = [f"{i}{suffix}" for i, suffix in enumerate((".wav", ".wave", ".WAV", ".Wave", ".flac", ".FLAC"))]
    for name in names:
        _write(tmp_path, "", name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pairs = find_pairs(tmp_path)
    assert [pair.unmastered.path.name for pair in pairs] == names


@pytest.mark.parametrize(
    ("below", "suffix"), list(product(("a", "a/b/c", "ä b"), (".wave", ".wav", ".FLAC")))
)
def test_what_lies_in_subfolders_is_named(below: str, suffix: str, tmp_path: Path) -> None:
    _write(tmp_path, "", "top.wav")
    _write(tmp_path, below, f"hidden{suffix}")
    with pytest.warns(UserWarning, match="subfolders are not searched") as caught:
        pairs = find_pairs(tmp_path)
    assert [pair.name for pair in pairs] == ["top"]
    assert str(Path(below) / f"hidden{suffix}") in str(caught[0].message)


@pytest.mark.parametrize("count", [1, 5, 6, 40])
def test_however_many_were_left_out_is_one_line(count: int, tmp_path: Path) -> None:
    _write(tmp_path, "", "top.wav")
    for i in range(count):
        _write(tmp_path, f"album {i % 3}", f"{i:02d}.wav", ("unmastered",))
    with pytest.warns(UserWarning, match="subfolders are not searched") as caught:
        find_pairs(tmp_path)
    text = str(caught[0].message)
    assert len(caught) == 1 and "\n" not in text
    assert text.count(".wav") + (count - 5 if f"and {count - 5} more" in text else 0) == count


def test_pairs_only_in_subfolders_are_no_empty_success(tmp_path: Path) -> None:
    _write(tmp_path, "album", "song.wave")
    with pytest.raises(DataError, match="holds no audio files"):
        find_pairs(tmp_path)


def test_hidden_folders_are_not_named(tmp_path: Path) -> None:
    _write(tmp_path, "", "top.wav")
    _write(tmp_path, ".trash", "old.wav")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(find_pairs(tmp_path)) == 1
