"""Training songs under another name: found by content, never by accident."""

import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import nm_eval_world as world  # pyright: ignore[reportMissingImports]
import pytest
import yaml

from neural_mastering.data import find_pairs
from neural_mastering.errors import InputError
from neural_mastering.evaluation.run_info import RunInfo, read_run
from neural_mastering.evaluation.shared_songs import SharedSong, named, shared_songs
from neural_mastering.evaluation.song_set import choose_songs

OTHER = "another name"


def trained_run(folder: Path, data: Path, songs: Sequence[str]) -> RunInfo:
    """A run that says it was trained on songs of a folder."""
    world.make_run(folder, "1a", trained_on=tuple(songs))
    (folder / "config.yaml").write_text(yaml.safe_dump({"phase_name": "1a", "data": {"root": str(data)}}))
    return read_run(folder)


@pytest.fixture
def evaluated(eval_pairs: Path, tmp_path: Path) -> Path:
    """The six songs; the two test songs are the last."""
    return Path(shutil.copytree(eval_pairs, tmp_path / "evaluated"))


def copy_song(source: Path, name: str, into: Path, sides: Sequence[str] = ("unmastered", "mastered")) -> None:
    for side in ("unmastered", "mastered"):
        (into / side).mkdir(parents=True, exist_ok=True)
        target = into / side / f"{OTHER}.wav"
        shutil.copy(source / side / f"{name}.wav", target)
        if side not in sides:  # the same audio for ears, other bytes
            target.write_bytes(target.read_bytes() + b"LIST\x04\x00\x00\x00INFO")


def hash_column(root: Path, column: str, values: Mapping[str, str]) -> None:
    """A manifest as nm-data degrade leaves it, with one column of hashes."""
    with (root / "manifest.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["file", "group", "split", column])
        for i, name in enumerate(sorted(values)):
            writer.writerow(
                [f"{name}.wav", f"g{i}", "test" if name in world.NAMES[4:] else "train", values[name]]
            )


@pytest.mark.parametrize("sides", [("unmastered",), ("mastered",), ("unmastered", "mastered")])
def test_a_renamed_copy_is_refused_with_both_names(
    evaluated: Path, tmp_path: Path, sides: Sequence[str]
) -> None:
    """No manifest tells a hash: files of the same size are read."""
    copy_song(evaluated, "söng 5", tmp_path / "training", sides)
    run = trained_run(tmp_path / "run", tmp_path / "training", [OTHER])
    with pytest.raises(
        InputError, match=rf"shares 1 of 2 songs.*'söng 5' \(the same audio as '{OTHER}' there\)"
    ):
        choose_songs(evaluated, "test", [run])
    chosen = choose_songs(evaluated, "all", [run])
    assert chosen.trained_on == ("söng 5",) and OTHER in chosen.notes[-1]


def test_equal_size_is_not_equal_content(evaluated: Path, tmp_path: Path) -> None:
    """All songs of the small world have the same size in bytes."""
    copy_song(evaluated, "söng 0", tmp_path / "training")
    sizes = {path.stat().st_size for path in evaluated.rglob("*.wav")}
    assert len(sizes) == 1
    run = trained_run(tmp_path / "run", tmp_path / "training", [OTHER])
    assert not choose_songs(evaluated, "test", [run]).trained_on


def test_files_that_were_no_training_songs_do_not_count(evaluated: Path, tmp_path: Path) -> None:
    copy_song(evaluated, "söng 5", tmp_path / "training")
    run = trained_run(tmp_path / "run", tmp_path / "training", ["something else"])
    assert not choose_songs(evaluated, "test", [run]).trained_on


def test_pairs_made_from_one_source_are_found_by_their_manifests(evaluated: Path, tmp_path: Path) -> None:
    """Degraded twice, no file is the same: only the source's hash tells."""
    (tmp_path / "training").mkdir()
    hash_column(evaluated, "source_sha256", {name: f"{i:064x}" for i, name in enumerate(world.NAMES)})
    hash_column(tmp_path / "training", "source_sha256", {OTHER: f"{4:064X}", "third": "", "fourth": "f" * 64})
    run = trained_run(tmp_path / "run", tmp_path / "training", [OTHER, "third", "fourth"])
    pairs = [pair for pair in find_pairs(evaluated) if pair.split == "test"]
    assert shared_songs(pairs, evaluated, [run]) == [SharedSong("söng 4", OTHER)]
    with pytest.raises(InputError, match=rf"'söng 4' \(the same audio as '{OTHER}' there\)"):
        choose_songs(evaluated, "test", [run])


def test_a_file_is_known_by_the_hash_that_training_noted(evaluated: Path, tmp_path: Path) -> None:
    """The training folder's audio is gone, its manifest is not; the evaluated folder tells no hashes."""
    import hashlib

    (tmp_path / "training").mkdir()
    noted = hashlib.sha256((evaluated / "mastered" / "söng 4.wav").read_bytes()).hexdigest()
    hash_column(tmp_path / "training", "source_sha256", {OTHER: noted})
    run = trained_run(tmp_path / "run", tmp_path / "training", [OTHER])
    with pytest.raises(InputError, match=OTHER):
        choose_songs(evaluated, "test", [run])


def test_released_music_is_compared_too(evaluated: Path, tmp_path: Path) -> None:
    """Trained on finished songs in folders; one of them is the target of a test song."""
    album = tmp_path / "music" / "album"
    album.mkdir(parents=True)
    shutil.copy(evaluated / "mastered" / "söng 5.wav", album / "track.wav")
    run = trained_run(tmp_path / "run", tmp_path / "music", ["album__track"])
    with pytest.raises(InputError, match=r"'söng 5' \(the same audio as 'album__track' there\)"):
        choose_songs(evaluated, "test", [run])


def test_a_twin_in_the_same_folder_is_found(evaluated: Path, tmp_path: Path) -> None:
    """The training split holds a copy of a test song."""
    for side in ("unmastered", "mastered"):
        shutil.copy(evaluated / side / "söng 4.wav", evaluated / side / "söng 0.wav")
    run = trained_run(tmp_path / "run", evaluated, world.NAMES[:2])
    with pytest.raises(InputError, match=r"'söng 4' \(the same audio as 'söng 0' there\)"):
        choose_songs(evaluated, "test", [run])


def test_a_training_folder_that_is_gone_leaves_the_names(evaluated: Path, tmp_path: Path) -> None:
    run = trained_run(tmp_path / "run", tmp_path / "gone", [OTHER])
    assert not choose_songs(evaluated, "test", [run]).trained_on
    run = trained_run(tmp_path / "run 2", tmp_path / "gone", ["SÖNG 4"])
    with pytest.raises(InputError, match="'söng 4'"):
        choose_songs(evaluated, "test", [run])


def test_ten_are_named() -> None:
    songs = [SharedSong(f"{i}", f"{i}") for i in range(12)]
    assert named(songs) == ", ".join(f"'{i}'" for i in range(10)) + " and 2 more"
