"""Which songs are evaluated, and which are refused."""

import json
import shutil
from pathlib import Path

import nm_eval_world as world  # pyright: ignore[reportMissingImports]
import pytest

from neural_mastering.errors import InputError
from neural_mastering.evaluation.plan import common_rate, model_rows, references_by_group
from neural_mastering.evaluation.run_info import read_run
from neural_mastering.evaluation.song_set import choose_songs
from neural_mastering.evaluation.training_average import training_songs


def test_the_manifest_s_split_is_taken(eval_pairs: Path) -> None:
    chosen = choose_songs(eval_pairs, "test")
    assert [song.name for song in chosen.songs] == ["söng 4", "söng 5"]
    assert [song.name for song in chosen.training] == ["söng 0", "söng 1"]
    assert chosen.groups == 1 and chosen.grouped and "manifest" in chosen.split_source
    assert len(choose_songs(eval_pairs, "all").songs) == 6
    assert len(choose_songs(eval_pairs, "all", songs=["SÖNG 3"]).songs) == 1


def test_test_songs_that_a_run_was_trained_on_are_refused_by_name(eval_pairs: Path, tmp_path: Path) -> None:
    run = read_run(world.make_run(tmp_path / "leaky", trained_on=("söng 0", "Söng 5")))
    with pytest.raises(InputError, match=r"shares 1 of 2 songs.*'söng 5'"):
        choose_songs(eval_pairs, "test", [run])
    chosen = choose_songs(eval_pairs, "all", [run])
    assert chosen.trained_on == ("söng 0", "söng 5") and any("Trained on 2" in note for note in chosen.notes)


def test_a_run_that_stored_no_songs_is_said_so(eval_pairs: Path, tmp_path: Path) -> None:
    folder = world.make_run(tmp_path / "old")
    (folder / "splits.json").unlink()
    chosen = choose_songs(eval_pairs, "test", [read_run(folder)])
    assert any("can't be checked" in note for note in chosen.notes)


def test_the_split_stored_with_a_run_is_taken_where_the_manifest_names_none(tmp_path: Path) -> None:
    root = world.make_pairs(tmp_path / "pairs", splits=False)
    folder = world.make_run(tmp_path / "run")
    stored = {"train": world.NAMES[3:], "validation": world.NAMES[2:3], "test": world.NAMES[:2]}
    content = {split: [{"name": n, "group": "g"} for n in names] for split, names in stored.items()}
    (folder / "splits.json").write_text(json.dumps({"splits": content}))
    run = read_run(folder)
    chosen = choose_songs(root, "test", [run])
    assert [song.name for song in chosen.songs] == list(world.NAMES[:2]) and "stored" in chosen.split_source
    pairs, source = training_songs(chosen, [run])
    assert (
        [pair.name for pair in pairs] == list(world.NAMES[3:])
        and root.name in source
        and str(root) not in source
    )


def test_empty_splits_and_unknown_names_say_what_there_is(eval_pairs: Path, tmp_path: Path) -> None:
    root = tmp_path / "pairs"
    shutil.copytree(eval_pairs, root)
    manifest = root / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(",test", ",train"))
    with pytest.raises(
        InputError, match=r"test split .* is empty.*train \(4 songs\), validation \(2 songs\)"
    ):
        choose_songs(root, "test")
    with pytest.raises(InputError, match="must be one of"):
        choose_songs(root, "testing")
    with pytest.raises(InputError, match="no song of the all split is called 'other'"):
        choose_songs(root, "all", songs=["other"])


def test_a_song_missing_on_one_side_is_named(eval_pairs: Path, tmp_path: Path) -> None:
    root = tmp_path / "pairs"
    shutil.copytree(eval_pairs, root)
    (root / "mastered" / "söng 2.wav").unlink()
    with pytest.raises(InputError, match=r"söng 2\.wav"):
        choose_songs(root, "test")


def test_models_at_different_rates_and_another_rate_are_refused(eval_run: Path, tmp_path: Path) -> None:
    here, there = read_run(eval_run), read_run(world.make_run(tmp_path / "48k", sample_rate=48_000))
    assert common_rate([]) == 44_100 and common_rate([], 48_000) == 48_000 and common_rate([there]) == 48_000
    with pytest.raises(InputError, match="different sample rates"):
        common_rate([here, there])
    with pytest.raises(InputError, match="trained at 44100 Hz"):
        common_rate([here], 48_000)


def test_references_come_from_the_same_group(eval_pairs: Path) -> None:
    references = references_by_group(choose_songs(eval_pairs, "all"))
    assert references["söng 0"].name == "söng 1" and references["söng 1"].name == "söng 0"
    assert all(pair.name != name for name, pair in references.items())


def test_phases_that_come_twice_are_told_apart(eval_run: Path, tmp_path: Path) -> None:
    runs = [read_run(eval_run), read_run(world.make_run(tmp_path / "other")), read_run(eval_run)]
    names = [row.name for row in model_rows(runs)]
    assert len(set(names)) == 3 and names[0] == "phase 1c (my run 1c)" and names[1] == "phase 1c (other)"
    assert [row.name for row in model_rows(runs[:1])] == ["phase 1c"]


@pytest.mark.parametrize(("phase", "wanted"), [("1a", "1A"), ("1b", "1B"), ("1c", "1C")])
def test_a_lone_checkpoint_says_its_phase_by_its_parts(phase: str, wanted: str, tmp_path: Path) -> None:
    folder = world.make_run(tmp_path / "run", phase)
    lone = tmp_path / "alone.ckpt"
    shutil.copy(folder / "checkpoints" / "best.ckpt", lone)
    run = read_run(lone)
    assert run.phase == wanted and run.folder is None and run.songs is None and run.step == 40
