"""The arguments of nm-train, and messages for the ones that are wrong."""

import difflib
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from neural_mastering.cli.resume_choices import machine_overrides
from neural_mastering.errors import InputError

LAYERS = ("phase", "experiment", "debug", "sweep")
"""Groups that add a layer and therefore need a +."""

_UNREADABLE = ("mismatched input", "extraneous input", "token recognition", "LexerNoViableAlt", "no viable")
"""What Hydra's messages say of a value that its grammar can't read."""

RESTORED = ("optimizer", "scheduler")
"""Groups whose state a checkpoint holds, their settings in it: a value given on resume would do nothing."""


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
    restored = [a for a in others if a.lstrip("+~").partition("=")[0].partition(".")[0] in RESTORED]
    if restored:
        raise InputError(
            f"{restored[0]} can't be changed in a run that is resumed: the checkpoint restores it. To go on from "
            f"its weights with other settings, start a new run with init_from={folder}"
        )
    return [
        "--config-path",
        str(saved),
        "--config-name",
        "config",
        f"hydra.run.dir={hydra_quoted(str(saved.parent))}",
        f"resume={hydra_quoted(str(saved.parent))}",
        *machine_overrides(others),
    ]


def hydra_quoted(value: str) -> str:
    """A value as Hydra's grammar reads it back: in single quotes, with quotes and interpolations escaped."""
    escaped = re.sub(r"(\\*)'", lambda match: match.group(1) * 2 + "\\'", value)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return "'" + escaped.replace("${", "\\${") + "\\" * trailing + "'"


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
        near = close_keys(wrong, [*_known_keys(arguments), *_keys_of_group(wrong)])
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        more = "nm-train --cfg job shows all keys; to add a new one, put a + before it"
        if {"-m", "--multirun"} & set(arguments) and any(
            "/" in a.partition("=")[0] or a.startswith("+") for a in arguments if "," in a
        ):
            # Hydra composes a sweep's common part before it chooses among groups
            more += f"; if only the swept groups have this key, write ++{wrong}"
        return f"there is no {wrong!r} in the configuration{hint} ({more})"
    return "\n".join([*lines, *_quoting_hint(text, arguments)])


def close_keys(wrong: str, known: Sequence[str]) -> list[str]:
    """Up to three known keys that are most like a wrong one; those of the same group come first."""
    group, _, name = wrong.rpartition(".")
    siblings = {key.rpartition(".")[2]: key for key in known if group and key.rpartition(".")[0] == group}
    near = [siblings[own] for own in difflib.get_close_matches(name, list(siblings), n=3, cutoff=0.6)]
    near += difflib.get_close_matches(wrong, list(dict.fromkeys(known)), n=3, cutoff=0.6)
    return list(dict.fromkeys(near))[:3]


def _quoting_hint(text: str, arguments: Sequence[str]) -> list[str]:
    """For a value that Hydra's grammar can't read: the argument as it can."""
    if not any(sign in text for sign in _UNREADABLE):
        return []
    for argument in arguments:
        key, separator, value = argument.partition("=")
        if separator and not value.startswith(("'", '"', "[", "{")) and re.search(r"[^\w./+:,\-]", value):
            return [
                f"If {value} is one value, quote it for Hydra, too: {shlex.quote(f'{key}={hydra_quoted(value)}')}"
            ]
    return []


def _keys_of_group(wrong: str) -> Iterator[str]:
    """Keys of all files of the group that a wrong key names."""
    from omegaconf import OmegaConf  # loads OmegaConf

    group = wrong.partition(".")[0]
    folder = resources.files("neural_mastering.conf") / group
    if not group.isidentifier() or not folder.is_dir():
        return
    for file in folder.iterdir():
        if file.name.endswith(".yaml"):
            yield from _flat(OmegaConf.create(file.read_text(encoding="utf-8")), f"{group}.")


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
