"""nm-learn: learn a mastering engineer from pairs of mixes and masters."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from neural_mastering.cli.invocation import invoke_command
from neural_mastering.errors import InputError

STOPPED_TEXT = "stopped; the pairs measured so far are kept, and the same command goes on from here"

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def learn(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Folder with unmastered/ and mastered/, files of the same names; about 20 songs.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Folder for the results.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Settings, such as learning.folds=5.", show_default=False),
    ] = None,
    add: Annotated[
        list[Path] | None,
        typer.Option(
            "--add", metavar="DIR2", help="Further folders of pairs; drift between them is reported."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Number of processes; 0 uses one per core.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only notes and errors.")] = False,
) -> None:
    """Learn what a mastering engineer does, from songs before and after, and use it with nm-master --model FOLDER.

    Broken pairs are named and left out. If you stop the command, run it again to continue.
    """
    # --help stays quick: these load NumPy, torch and Hydra
    from neural_mastering.cli.learn_output import print_learned
    from neural_mastering.cli.progress import progress
    from neural_mastering.config.learning import learn_settings
    from neural_mastering.learning.job import learn_folder

    settings = learn_settings(overrides or [])
    if output.exists() and not output.is_dir():
        raise InputError(f"-o {output} is a file: give a folder")
    found = learn_folder(
        [folder, *(add or [])], output, settings, jobs, lambda title, total: progress(title, total, quiet)
    )
    print_learned(found, quiet)


def main() -> None:
    """Entry point."""
    sys.exit(invoke_command(app, "nm-learn", sys.argv[1:], STOPPED_TEXT))


if __name__ == "__main__":
    main()
