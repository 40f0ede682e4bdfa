"""The arguments of nm-train, and messages for the ones that are wrong."""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from neural_mastering.cli.resume_choices import machine_overrides
from neural_mastering.errors import InputError

LAYERS = ("phase", "experiment", "debug", "sweep")
"""Groups that add a layer and therefore need a +."""


def prepare(arguments: Sequence[str]) -> list[str]:
    """Check the arguments and turn `resume=FOLDER` into what Hydra needs to go on with that run.

    Raises:
        InputError: a layer without its +, or a folder that can't be resumed.
    """
    for argument in arguments:
        key, separator, value = argument.partition("=")
        if separator and key in LAYERS:
            raise InputError(f"{argument} needs a + because it adds a layer: type +{key}={value}")
    folder = next((a.partition("=")[2] for a in arguments if a.startswith("resume=")), None)
    if folder is None or not {"--config-path", "-cp", "--config-dir", "-cd"}.isdisjoint(arguments):
        return list(arguments)  # prepared already: this is one of the processes that DDP starts
    saved = Path(folder.strip("'\"")).expanduser().resolve() / ".hydra"
    if not (saved / "config.yaml").is_file():
        raise InputError(f"resume={folder}: no run of nm-train is there (expected {saved / 'config.yaml'})")
    others = [a for a in arguments if not a.startswith("resume=")]
    layered = [a for a in others if a.lstrip("+").partition("=")[0] in LAYERS]
    if layered:
        raise InputError(f"{layered[0]} can't be added to a run that is resumed: its configuration is frozen")
    return [
        "--config-path",
        str(saved),
        "--config-name",
        "config",
        f"hydra.run.dir='{saved.parent}'",
        f"resume='{saved.parent}'",
        *machine_overrides(others),
    ]


def explain(error: Exception, arguments: Sequence[str]) -> str | None:
    """A message for a mistake in the arguments or in the environment, or None if it is not a known one."""
    from hydra.errors import HydraException  # loads Hydra
    from omegaconf.errors import OmegaConfBaseException

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, InputError):
            return str(cause)
        cause = cause.__cause__
    text = str(error).strip()
    if isinstance(error, OSError) and error.errno is not None:
        return f"{os.strerror(error.errno)}: {error.filename}" if error.filename else text
    if type(error).__name__ == "MisconfigurationException":  # Lightning's; importing it takes seconds
        return text.splitlines()[0]
    if not isinstance(error, (HydraException, OmegaConfBaseException)):
        return None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = _wrong_key(lines)
    if wrong is not None:
        near = difflib.get_close_matches(wrong, list(_known_keys(arguments)), n=3, cutoff=0.6)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        more = "nm-train --cfg job shows all keys; to add a new one, put a + before it"
        if {"-m", "--multirun"} & set(arguments) and any(
            "/" in a.partition("=")[0] or a.startswith("+") for a in arguments if "," in a
        ):
            # Hydra composes a sweep's common part before it chooses among groups
            more += f"; if only the swept groups have this key, write ++{wrong}"
        return f"there is no {wrong!r} in the configuration{hint} ({more})"
    return "\n".join(lines)


def _wrong_key(lines: Sequence[str]) -> str | None:
    for line in lines:
        for opening in ("Could not override '", "Could not find override target '"):
            if line.startswith(opening):
                return line.removeprefix(opening).partition("'")[0]
    return None


def _known_keys(arguments: Sequence[str]) -> Iterator[str]:
    """Keys of the configuration as far as the arguments' choices of groups can be composed."""
    from hydra.core.global_hydra import GlobalHydra  # loads Hydra

    from neural_mastering.config.compose import compose  # loads Hydra

    GlobalHydra.instance().clear()
    choices = [a for a in arguments if a.startswith("+") and a[1:].partition("=")[0] in LAYERS]
    try:
        config = compose(choices)
    except Exception:  # the choices themselves are wrong: fall back to the defaults
        config = compose()
    yield from _flat(config, "")
    yield from (
        "model/encoder",
        "model/eq_head",
        "model/chain_head",
        "model/residual_head",
        "data",
        "loss",
        "optimizer",
        "scheduler",
    )
    yield from ("trainer", "precision", "logger", "callbacks")


def _flat(node: Any, prefix: str) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key in node:
            name = f"{prefix}{key}"
            yield name
            yield from _flat(_unresolved(node, key), f"{name}.")


def _unresolved(node: Mapping[str, Any], key: str) -> Any:
    """A value without following interpolations, which may point to what is only there while a job runs."""
    return node._get_node(key) if isinstance(node, DictConfig) else node[key]
