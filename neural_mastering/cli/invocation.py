"""Running a command: mistakes become one line and an exit code, never a traceback."""

import errno
import sys
from typing import Any

import typer

from neural_mastering.cli.arguments import check_arguments, dash_hint
from neural_mastering.cli.console import flush_streams, prepare_streams, tolerating_streams
from neural_mastering.cli.interruption import stop_asking, was_interrupted
from neural_mastering.errors import InputError

STOPPED = 130
"""128 + SIGINT."""

NOTHING_WRITTEN = "stopped; nothing was written under the final name"

# Typer brings its own copy of click or uses the installed one; this is its error either way.
_USAGE_ERROR: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def invoke_command(app: typer.Typer, name: str, arguments: list[str], stopped: str = NOTHING_WRITTEN) -> int:
    """Run a program with arguments; returns the exit code.

    Args:
        app: the program.
        name: of the command, before each complaint.
        arguments: as typed.
        stopped: what is said after Ctrl-C.
    """
    prepare_streams()
    code = 1
    try:
        code = _run(app, name, arguments, stopped)
    except OSError as error:
        trouble = flush_streams()
        if trouble is None and error.errno == errno.EPIPE:
            trouble = ""
        if (
            trouble is None and error.errno == errno.ENOSPC
        ):  # a stream that has forgotten what it could not write
            trouble = f"output can't be written: {error.strerror}"
        if trouble is None:
            raise
    else:
        trouble = flush_streams()
    finally:
        stop_asking()
    if trouble is None:
        return code
    return _complaint(name, trouble, 1) if trouble else 1


def _run(app: typer.Typer, name: str, arguments: list[str], stopped: str) -> int:
    """Run a program; returns the exit code."""
    try:
        command: Any = typer.main.get_command(app)
        check_arguments(command, arguments)
        code = command.main(args=arguments, prog_name=name, standalone_mode=False)
        if code == STOPPED:  # how Typer hands on a KeyboardInterrupt
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except InputError as error:
        return _complaint(name, str(error), 2)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except _USAGE_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message(), file=sys.stderr)
            return 2
        return _complaint(name, error.format_message() + dash_hint(arguments), 2)
    except (KeyboardInterrupt, typer.Abort):
        return _complaint(name, stopped, STOPPED)
    except MemoryError:
        return _complaint(name, "out of memory", 1)
    except Exception:
        if was_interrupted():  # what an interrupt became within the import of compiled code
            return _complaint(name, stopped, STOPPED)
        raise


def _complaint(name: str, message: str, code: int) -> int:
    shown = "".join(c if c.isprintable() else "?" for c in message)
    with tolerating_streams():
        print(f"{name}: {shown}", file=sys.stderr)
    return code
