"""Build parts from plain dictionaries, without Hydra: how a checkpoint becomes a model again."""

import functools
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from neural_mastering.errors import InputError


class ConfigError(InputError):
    """A configuration that can't be built; the message says where and what to write instead."""


def build(config: Any, path: str = "model", packages: Sequence[str] | None = ("neural_mastering",)) -> Any:
    """Instantiate nested `{"_target_": "package.module.Name", **arguments}` dictionaries, inside out.

    `_partial_: true` gives the callable with its arguments bound. Lists and plain values pass through.

    Args:
        config: plain dictionaries, lists and values.
        path: where the configuration stands, for messages.
        packages: only names inside these are called, so that a checkpoint can't run foreign code; None for a
            configuration that the user wrote.

    Raises:
        ConfigError: a target outside the packages, unknown, or with arguments that it does not take.

    Examples:
        >>> build({"_target_": "neural_mastering.dsp.limiter.LimiterSettings", "lookahead_ms": 2.0})
        LimiterSettings(lookahead_ms=2.0, release_ms=300.0, recovery_ms=1.0, sustain_ms=150.0)
        >>> build({"_target_": "os.system", "command": "rm -rf ~"})
        Traceback (most recent call last):
            ...
        neural_mastering.models.build.ConfigError: model: os.system is outside neural_mastering; ...
    """
    if isinstance(config, (list, tuple)):
        return [build(item, f"{path}[{i}]", packages) for i, item in enumerate(config)]
    if not isinstance(config, Mapping):
        return config
    arguments = {
        key: build(value, f"{path}.{key}", packages)
        for key, value in config.items()
        if key not in ("_target_", "_partial_")
    }
    if "_target_" not in config:
        return arguments
    target = _locate(str(config["_target_"]), path, packages)
    if config.get("_partial_"):
        return functools.partial(target, **arguments)
    try:
        return target(**arguments)
    except (TypeError, ValueError, KeyError, ImportError) as error:
        raise ConfigError(f"{path}: {config['_target_']} could not be built: {error}") from error


def _locate(name: str, path: str, packages: Sequence[str] | None) -> Any:
    if packages is not None and name.split(".")[0] not in packages:
        raise ConfigError(
            f"{path}: {name} is outside {', '.join(packages)}; name its package in `packages` if you trust it"
        )
    module_name, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{path}: there is no {name}: {error}") from error
