"""Mistakes in typed arguments that a parser would take as names of files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neural_mastering.errors import InputError


def check_arguments(command: Any, arguments: Sequence[str]) -> None:
    """Refuse empty arguments, and options that stand where the value of another is missing.

    An empty argument is what an unset variable of a shell leaves; as a path it would mean the current folder.

    Args:
        command: a program or a group of them, as Typer makes it.
        arguments: as typed.

    Raises:
        InputError: one is empty, or an option follows one that needs a value.
    """
    if any(argument == "" for argument in arguments):
        place = list(arguments).index("")
        before = f" after {arguments[place - 1]}" if place else ""
        raise InputError(
            f"argument {place + 1}{before} is empty (a variable that isn't set?): give a value or leave it out"
        )
    takes_value = _options(command, arguments)
    waiting = None
    for argument in arguments:
        if waiting is not None:
            if argument in takes_value:
                raise InputError(
                    f"{waiting} needs a value, but {argument} is an option (a file of that name: ./{argument})"
                )
            waiting = None
        elif argument == "--":
            return
        elif argument.startswith("--") and argument.endswith("=") and argument[:-1] in takes_value:
            raise InputError(
                f"{argument} has an empty value (a variable that isn't set?): give one or leave it out"
            )
        elif takes_value.get(argument, False):
            waiting = argument


def dash_hint(arguments: Sequence[str]) -> str:
    """What to do about files whose names begin with a dash; empty where none of the arguments is one."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for argument in before:
        if argument.startswith("-") and Path(argument).exists():
            return f" ('{argument}' is a file: write './{argument}', or put -- before it)"
    return ""


def _options(command: Any, arguments: Sequence[str]) -> dict[str, bool]:
    """Names of the options of the command that was typed and its groups, and whether they take a value."""
    on_the_way = [command]
    for argument in arguments:
        inner = getattr(on_the_way[-1], "commands", {}).get(argument)
        if inner is not None:
            on_the_way.append(inner)
    return {
        name: not parameter.is_flag and not parameter.count
        for each in on_the_way
        for parameter in each.params
        if parameter.param_type_name == "option"
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
