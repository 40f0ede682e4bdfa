"""Choices of a group beside `resume=FOLDER`: the machine may be another one; what is trained may not."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from neural_mastering.errors import InputError

MACHINE = ("trainer", "precision")
"""Groups whose settings say where a run is computed."""

_CHANGED = "the configuration of a run that is resumed is kept; change single keys instead (KEY=VALUE)"


def machine_overrides(arguments: Sequence[str]) -> list[str]:
    """The arguments, with `trainer=gpu` or `precision=bf16` as the single keys that tell these machines apart.

    A saved configuration has no groups any more, only their keys.

    Raises:
        InputError: a choice of another group, or one that doesn't exist.
    """
    found: list[str] = []
    for argument in arguments:
        group, separator, name = argument.partition("=")
        if group in MACHINE and separator:
            found += _keys_of(group, name)
        elif separator and group.lstrip("+~") in _groups():
            raise InputError(f"{argument} can't be given to a run that is resumed: {_CHANGED}")
        else:
            found.append(argument)
    return found


def _keys_of(group: str, name: str) -> list[str]:
    options = _options(group)
    if name not in options:
        raise InputError(f"{group}={name}: expected one of {', '.join(options)}")
    from neural_mastering.config.compose import compose  # loads Hydra

    trainers: dict[str, Any] = {option: dict(compose([f"{group}={option}"]).trainer) for option in options}
    keys = {key for trainer in trainers.values() for key in trainer}
    missing = object()
    telling = [k for k in sorted(keys) if len({repr(t.get(k, missing)) for t in trainers.values()}) > 1]
    default = {"strategy": "auto"}  # Lightning's own, where an option doesn't name the key
    return [f"++trainer.{key}={trainers[name].get(key, default.get(key, 'null'))}" for key in telling]


def _options(group: str) -> list[str]:
    folder = files("neural_mastering.conf").joinpath(group)
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


def _groups() -> list[str]:
    root = files("neural_mastering.conf")
    top = [entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("_")]
    return [*top, *(f"model/{entry.name}" for entry in root.joinpath("model").iterdir() if entry.is_dir())]
