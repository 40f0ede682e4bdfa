"""The configuration tree from Python: notebooks and tests."""

import re
from collections.abc import Sequence

from hydra import compose as hydra_compose
from hydra import initialize_config_module
from omegaconf import DictConfig, open_dict

CONFIG_MODULE = "neural_mastering.conf"
CONFIG_NAME = "train"

_CHOOSES_A_PHASE = re.compile(r"\+phase=")
_PHASE_2 = re.compile(r"""(?<=[=,(\s])(['"]?)2\1(?=[,)\s]|$)""")


def compose(overrides: Sequence[str] = (), run_dir: str = "runs/notebook") -> DictConfig:
    """Compose `conf/train.yaml` with overrides as on the command line, such as ["+phase=1c", "data.batch_size=4"].

    Args:
        overrides: what would follow `nm-train`.
        run_dir: stands in for Hydra's run folder.
    """
    with initialize_config_module(CONFIG_MODULE, version_base="1.3"):
        config = hydra_compose(CONFIG_NAME, overrides=[*with_phase_names(overrides), f"run_dir={run_dir}"])
    with open_dict(config):
        config.pop("hydra", None)
    return config


def with_phase_names(overrides: Sequence[str]) -> list[str]:
    """The overrides with `+phase=2` written as `+phase=2_full`, in sweeps such as `+phase=1c,2`, too.

    Hydra reads a bare 2 as a number, which can't name a group's option, so the file of phase 2 has another name.
    """
    return [_PHASE_2.sub("2_full", o) if _CHOOSES_A_PHASE.match(o) else o for o in overrides]
