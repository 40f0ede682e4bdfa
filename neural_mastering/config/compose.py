"""The configuration tree from Python: notebooks and tests."""

import re
from collections.abc import Sequence

from hydra import compose as hydra_compose
from hydra import initialize_config_module
from omegaconf import DictConfig, open_dict

CONFIG_MODULE = "neural_mastering.conf"
CONFIG_NAME = "train"


def compose(overrides: Sequence[str] = (), run_dir: str = "runs/notebook") -> DictConfig:
    """Compose `conf/train.yaml` with overrides as on the command line, such as ["+phase=1c", "data.batch_size=4"].

    Args:
        overrides: what would follow `nm-train`.
        run_dir: stands in for Hydra's run folder.
    """
    with initialize_config_module(CONFIG_MODULE, version_base="1.3"):
        config = hydra_compose(CONFIG_NAME, overrides=[*quoted(overrides), f"run_dir={run_dir}"])
    with open_dict(config):
        config.pop("hydra", None)
    return config


def quoted(overrides: Sequence[str]) -> list[str]:
    """The overrides with `+phase=2` as `+phase='2'`: Hydra takes a bare 2 for a number, which can't name a
    group's option."""
    return [
        re.sub(r"(?<=[=,])(\d+)(?=,|$)", r"'\1'", override) if override.startswith("+phase=") else override
        for override in overrides
    ]
