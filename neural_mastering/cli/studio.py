"""nm-studio: master songs on a page of this computer."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from neural_mastering.cli.invocation import invoke_command
from neural_mastering.errors import InputError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def run(
    songs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Songs to begin with, in the order of the album, or a project saved as .nmstudio.",
            show_default=False,
        ),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(
            help="Folder for uploads, states and caches. Default: one for these songs in your data folder."
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Let the page use songs, styles and models of this folder without copying them."),
    ] = None,
    port: Annotated[
        int, typer.Option(help="Port on 127.0.0.1; 0 takes any that is free.", min=0, max=65535)
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page, or only print its address.")
    ] = True,
    max_upload_gb: Annotated[
        float, typer.Option(help="Largest file that the page may send, in GB.", min=0.001)
    ] = 4.0,
    upload_timeout_s: Annotated[
        float, typer.Option(help="How long a file on its way may stand still, in seconds.", min=0.1)
    ] = 30.0,
) -> None:
    """Open a page on this computer to master songs by eye, hand and ear. Nothing leaves the computer."""
    try:
        # --help stays quick: loads NumPy, numba and the server
        from neural_mastering.studio.folders import project_folder
        from neural_mastering.studio.opening import open_workspace
        from neural_mastering.studio.server import serve
        from neural_mastering.studio.uploads import GIGABYTE, Limits
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("fastapi", "starlette", "uvicorn", "pydantic"):
            raise
        raise InputError(
            f"nm-studio needs {error.name}: install it with pip install 'neural-mastering[studio]'"
        ) from error

    given = songs or []
    limits = Limits(upload_bytes=int(max_upload_gb * GIGABYTE), stall_s=upload_timeout_s)
    workspace = open_workspace(project or project_folder(given), given, limits, folder)
    serve(workspace, port, browser)


def main() -> None:
    """Entry point: mistakes are explained in one line, without a traceback."""
    sys.exit(invoke_command(app, "nm-studio", sys.argv[1:]))


if __name__ == "__main__":
    main()
