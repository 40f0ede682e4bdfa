"""Runs that are resumed: moved folders, damaged checkpoints, any path, values that would do nothing."""

import copy
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from neural_mastering.cli.train_arguments import close_keys, explain, hydra_quoted, prepare
from neural_mastering.config.run import _newest_checkpoint
from neural_mastering.errors import InputError
from neural_mastering.training.callbacks.save_last import relocate


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_hydra_reads_any_value_back(value: str) -> None:
    override = OverridesParser.create().parse_override(f"key={hydra_quoted(value)}")
    assert OmegaConf.create({"key": override.value()}).key == value


@pytest.mark.parametrize(
    "name", ["John's run", "a $HOME b", "${oc.env:HOME}", "a,b=c", "[1]", "ü 日本", "it\\'s"]
)
def test_any_folder_is_resumed(name: str, tmp_path: Path) -> None:
    (tmp_path / name / ".hydra").mkdir(parents=True)
    (tmp_path / name / ".hydra" / "config.yaml").write_text("{}")
    arguments = prepare([f"resume={tmp_path / name}", "trainer.max_epochs=2"])
    values = {o.key_or_group: o.value() for o in OverridesParser.create().parse_overrides(arguments[4:])}
    held = OmegaConf.create({"run": values["hydra.run.dir"], "resume": values["resume"]})
    assert held.run == held.resume == str((tmp_path / name).resolve())


@pytest.mark.parametrize(
    "value", ["my songs (2024)", "John's pairs", "a=b c", "50% wet", "x{y", "a#b c", "so, so"]
)
def test_a_value_that_hydra_cannot_read_is_shown_quoted(value: str) -> None:
    parser, argument = OverridesParser.create(), f"data.root={value}"
    try:
        read = parser.parse_override(argument)
    except HydraException as error:
        hint = (explain(error, ["+phase=1b", argument]) or "").splitlines()[-1]
        quoted = shlex.split(hint.partition("for Hydra, too: ")[2])
        assert len(quoted) == 1
        assert OmegaConf.create({"key": parser.parse_override(quoted[0]).value()}).key == value
    else:  # it is read, and as the text that it is
        assert read.value() == value or read.is_sweep_override()


def test_no_hint_where_the_value_is_not_the_mistake() -> None:
    with pytest.raises(HydraException) as caught:
        OverridesParser.create().parse_override("data.root=[1")
    assert "quote it" not in (explain(caught.value, ["data.root=[1"]) or "")


@pytest.mark.parametrize(
    "override", ["optimizer.lr=5.0", "optimizer=sgd", "scheduler.gamma=1", "+optimizer.x=1"]
)
def test_a_value_that_would_do_nothing_is_refused(override: str, tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("{}")
    with pytest.raises(InputError, match="the checkpoint restores it"):
        prepare([f"resume={tmp_path}", override])
    assert "trainer.max_epochs=9" in prepare([f"resume={tmp_path}", "trainer.max_epochs=9"])


def checkpoint(path: Path, step: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"global_step": step, "state_dict": {"w": torch.zeros(1000)}}, path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_checkpoint_that_was_cut_off(share: float, tmp_path: Path, capsys: Any) -> None:
    checkpoint(tmp_path / "last.ckpt", 7)
    whole = (tmp_path / "last.ckpt").read_bytes()
    assert _newest_checkpoint(tmp_path) == (tmp_path / "last.ckpt", 7)
    (tmp_path / "last.ckpt").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"no checkpoint in .* can be read"):
        _newest_checkpoint(tmp_path)
    checkpoint(tmp_path / "best.ckpt", 5)
    assert _newest_checkpoint(tmp_path) == (tmp_path / "best.ckpt", 5)
    assert "last.ckpt is damaged" in capsys.readouterr().out


def test_a_moved_folder_keeps_its_best() -> None:
    state = {
        "dirpath": "/old/checkpoints",
        "best_model_path": "/old/checkpoints/best.ckpt",
        "kth_best_model_path": "/old/checkpoints/best.ckpt",
        "last_model_path": "",
        "best_k_models": {"/old/checkpoints/best.ckpt": torch.tensor(0.25)},
        "best_model_score": torch.tensor(0.25),
    }
    stays = copy.deepcopy(state)
    relocate(stays, Path("/old/checkpoints"))
    assert stays == state
    relocate(state, Path("/new place/checkpoints"))
    assert state["dirpath"] == "/new place/checkpoints"
    assert state["best_model_path"] == state["kth_best_model_path"] == "/new place/checkpoints/best.ckpt"
    assert state["best_k_models"] == {"/new place/checkpoints/best.ckpt": torch.tensor(0.25)}


def test_the_nearest_key_is_suggested() -> None:
    known = ["data", "data.root", "data.segment_s", "data.batch_size", "optimizer.lr", "trainer.max_epochs"]
    assert close_keys("data.rot", known)[0] == "data.root"
    assert close_keys("data.segment", known)[0] == "data.segment_s"
    assert close_keys("trainer.max_epoch", known)[0] == "trainer.max_epochs"
    assert close_keys("zzz.qqq", known) == []
