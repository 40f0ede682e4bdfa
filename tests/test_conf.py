"""conf/ is the wiring diagram: every file composes, and what it names can be built."""

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose as hydra_compose
from hydra import initialize_config_module
from omegaconf import DictConfig, OmegaConf

from neural_mastering.config.compose import compose, with_phase_names
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import validated
from neural_mastering.errors import InputError
from neural_mastering.losses import WeightedSum
from neural_mastering.models import build

CONF = Path(__file__).parents[1] / "conf"
FILES = sorted(CONF.rglob("*.yaml"))
PLUGINS = {
    "optuna": "hydra_plugins.hydra_optuna_sweeper",
    "submitit": "hydra_plugins.hydra_submitit_launcher",
}


def _options(group: str) -> list[str]:
    return sorted(f.stem for f in (CONF / group).glob("*.yaml"))


def _targets(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "_target_" in node:
            yield node["_target_"]
        for value in node.values():
            yield from _targets(value)
    elif isinstance(node, list):
        for value in node:
            yield from _targets(value)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(CONF)))
def test_every_target_exists(file: Path) -> None:
    for target in _targets(OmegaConf.to_container(OmegaConf.load(file))):
        module, _, name = target.rpartition(".")
        try:
            loaded = importlib.import_module(module)
        except ImportError as error:
            if ".interop." in target:
                pytest.skip(f"{target}: {error}")
            raise
        assert callable(getattr(loaded, name)), target


def plain_hydra(*overrides: str) -> DictConfig:
    """What a notebook gets from Hydra's own API."""
    with initialize_config_module("neural_mastering.conf", version_base="1.3"):
        return hydra_compose("train", overrides=list(overrides))


@pytest.mark.parametrize("phase", _options("phase"))
def test_every_phase_composes_by_hydra_itself(phase: str) -> None:
    config = plain_hydra(f"+phase={phase}", "run_dir=runs/notebook")
    assert config.phase_name == phase.removesuffix("_full")
    assert validated(config) == validated(compose([f"+phase={phase}"]))


def test_phase_2_is_called_2() -> None:
    whole = validated(compose(["+phase=2_full"]))
    for name in ("+phase=2", "+phase='2'", '+phase="2"'):
        assert validated(compose([name])) == whole, name
    assert whole.phase_name == "2" and "GreyBox" in whole.model["chain_head"]["_target_"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("+phase=1c,2", "+phase=1c,2_full"),
        ("+phase=2,1c,'2'", "+phase=2_full,1c,2_full"),
        ("+phase=choice(1c, 2)", "+phase=choice(1c, 2_full)"),
        ("+phase=2a,2e", "+phase=2a,2e"),
        ("phase_name=2", "phase_name=2"),
        ("seed=1,2", "seed=1,2"),
    ],
)
def test_sweeps_over_phases(typed: str, meant: str) -> None:
    assert with_phase_names([typed]) == [meant]
    assert with_phase_names([meant]) == [meant]


@pytest.mark.parametrize("file", sorted((CONF / "phase").glob("*.yaml")), ids=lambda f: f.stem)
def test_a_phase_is_a_small_diff(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 15


CHOICES = [
    f"{group}={option}"
    for group in (
        "model/encoder",
        "model/eq_head",
        "model/chain_head",
        "model/residual_head",
        "conditioning",
        "loss",
        "selection",
        "data",
        "optimizer",
        "scheduler",
        "trainer",
        "precision",
        "logger",
        "callbacks",
    )
    for option in _options(group)
] + [f"+{layer}={option}" for layer in ("phase", "experiment", "debug") for option in _options(layer)]


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_composes_and_validates(choice: str) -> None:
    wants_root = (
        "data=paired",
        "data=degraded",
        "data=streamed",
        "+experiment=bundled",
        "+experiment=engineer",
    )
    extra = ["data.root=somewhere"] if choice.startswith(wants_root) else []
    config = validated(compose([choice, *extra]))
    assert config.metric == ("val/loss" if "bundled" in choice else "val/selection")


@pytest.mark.parametrize("sweep", _options("sweep"))
def test_sweeps_compose_where_their_plugin_is_installed(sweep: str) -> None:
    plugin = PLUGINS[sweep.split("_")[0]]
    if importlib.util.find_spec(plugin) is None:
        pytest.skip(f"{plugin} is not installed (extra: {sweep.split('_')[0]})")
    with initialize_config_module("neural_mastering.conf", version_base="1.3"):
        config = hydra_compose("train", overrides=["+phase=1c", f"+sweep={sweep}"], return_hydra_config=True)
    node = config.hydra.sweeper if sweep == "optuna" else config.hydra.launcher
    assert plugin.split(".")[1] in node._target_


@pytest.mark.parametrize("phase", _options("phase"))
def test_every_phase_is_the_identity_at_initialisation(phase: str) -> None:
    model = build_model(validated(compose([f"+phase={phase}"])).model)
    audio = 0.1 * torch.randn(2, 2, 44_100)
    for training in (True, False):
        model.train(training)
        with torch.no_grad():
            output = model(audio)
        torch.testing.assert_close(output.audio, audio, rtol=0, atol=1e-7)


def test_swapped_parts_change_the_model_and_nothing_else() -> None:
    tcn = validated(compose(["+phase=1c", "model/encoder=tcn", "model.eq_head.max_bands=7"]))
    log_mel = validated(compose(["+phase=1c", "model.eq_head.max_bands=7"]))
    assert tcn.model["encoder"] != log_mel.model["encoder"]
    assert tcn.model["eq_head"] == log_mel.model["eq_head"] and tcn.model["eq_head"]["eq"]["bands"] == 7
    assert tcn.loss == log_mel.loss and tcn.data == log_mel.data


def test_the_command_line_wins_over_a_phase() -> None:
    config = validated(compose(["+phase=1c", "model/residual_head=none"]))
    assert config.model["residual_head"]["_target_"].endswith("NoResidual")


def test_default_weights() -> None:
    loss = build(validated(compose(["+phase=1c"])).loss, packages=None)
    assert isinstance(loss, WeightedSum)
    weights = {name: loss._term(name).weight for name in ("mr_stft", "a_weighted", "lufs", "regularization")}
    assert weights == {"mr_stft": 1.0, "a_weighted": 0.1, "lufs": 0.01, "regularization": 0.001}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["data=paired"], "data.root must be given"),
        (["seed=many"], "seed"),
        (["sample_rate=-1"], "sample_rate must be above 0"),
    ],
)
def test_mistakes_are_named(overrides: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        validated(compose(overrides))
