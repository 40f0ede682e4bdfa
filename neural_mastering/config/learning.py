"""The settings of nm-learn, from `conf/experiment/engineer.yaml` and what was typed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from neural_mastering.config.compose import compose
from neural_mastering.errors import InputError
from neural_mastering.learning.job import LearnSettings

EXPERIMENT = "+experiment=engineer"


def learn_settings(overrides: Sequence[str] = ()) -> LearnSettings:
    """Compose `+experiment=engineer` with overrides, and read what belongs to learning.

    Raises:
        InputError: an override that can't be used.
    """
    for text in overrides:
        if not text.lstrip("+").startswith("learning.") or "=" not in text:
            raise InputError(f"'{text}': expected learning.NAME=VALUE, such as learning.folds=5")
        _check_name(text.lstrip("+").partition("=")[0].removeprefix("learning."))
    try:
        config = compose([EXPERIMENT, "data.root=.", *overrides])
    except (HydraException, OmegaConfBaseException) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"{' '.join(overrides)}: {first}") from error
    plain = OmegaConf.to_container(config.learning, resolve=True)
    assert isinstance(plain, dict)
    return settings_of({str(name): value for name, value in plain.items()})


def settings_of(plain: Mapping[str, Any]) -> LearnSettings:
    """The settings from plain values.

    Raises:
        InputError: an unknown name, or a value of another type.
    """
    default = LearnSettings()
    for name, value in plain.items():
        _check_name(name)
        expected = type(getattr(default, name))
        if type(value) is not expected:
            raise InputError(
                f"learning.{name}={value}: expected {'a whole number' if expected is int else 'true or false'}"
            )
    return LearnSettings(**plain)


def _check_name(name: str) -> None:
    known = list(vars(LearnSettings()))
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean learning.{near[0]}?" if near else f"expected one of {', '.join(known)}"
        raise InputError(f"there is no setting learning.{name}: {hint}")


def training_folder(data: Mapping[str, Any]) -> Path:
    """The folder of pairs that a composed configuration names.

    Raises:
        InputError: its data are no folder of pairs.
    """
    root = data.get("root")
    if root is None:
        raise InputError("+experiment=engineer learns from a folder of pairs: add data.root=DIR")
    return Path(str(root))
