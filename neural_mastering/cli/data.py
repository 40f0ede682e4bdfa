"""nm-data: check, repair and create training pairs."""

import sys

import typer

from neural_mastering.cli.data_align import align
from neural_mastering.cli.data_check import check
from neural_mastering.cli.data_degrade import degrade
from neural_mastering.cli.data_pack import pack
from neural_mastering.cli.invocation import invoke_command

app = typer.Typer(
    help="Prepare paired music for training: check pairs, repair them, or create them from released music.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("check")(check)
app.command("align")(align)
app.command("degrade")(degrade)
app.command("pack")(pack)


def main() -> None:
    """Entry point: explains mistakes in one line instead of a traceback."""
    sys.exit(invoke_command(app, "nm-data", sys.argv[1:], "stopped"))


if __name__ == "__main__":
    main()
