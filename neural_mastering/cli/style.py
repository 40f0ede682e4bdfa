"""nm-style: learn styles from finished songs, and compare songs with them."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from neural_mastering.atomic import replacing, write_text
from neural_mastering.cli.interruption import listen_to_signals
from neural_mastering.cli.invocation import invoke_command
from neural_mastering.cli.style_output import (
    print_comparison,
    print_learned,
    print_list,
    print_notes,
    print_style,
    printable,
)
from neural_mastering.errors import InputError

app = typer.Typer(
    help="Styles: what finished songs of a kind measure. Learn one from your favourite masters, look at one, or "
    "see where a song lies among the songs of a style.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def learn(
    songs: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER…", help="Folders of finished songs, or songs; 1 to 10,000.", show_default=False
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Style to write, NAME.json.")],
    name: Annotated[str | None, typer.Option(help="Name of the style. Default: that of the file.")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Number of processes; 0 uses one per core.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only notes and errors.")] = False,
) -> None:
    """Learn a style from finished songs.

    Broken files are reported and left out. So are copies of a song. Songs unlike the others count little. A few
    songs are enough for a mean; their spread is then mostly that of music in general.
    """
    if output.suffix != ".json":
        raise InputError(f"-o {output}: expected a name that ends in .json")
    _check_output(output, overwrite)
    # --help stays quick: these load NumPy and numba
    from dataclasses import replace

    from neural_mastering.cli.progress import progress
    from neural_mastering.styles.learn import learn_style_from, measured_songs
    from neural_mastering.styles.library import GENERAL, bundled_styles, find_style
    from neural_mastering.styles.measure_files import find_songs
    from neural_mastering.styles.style_file import save_style

    paths = find_songs(songs)
    with progress("measuring", len(paths), quiet) as done:
        measured = measured_songs(paths, jobs, done)
    general = find_style(GENERAL) if GENERAL in bundled_styles() else None
    learned = learn_style_from(measured, name or output.stem, general)
    about = f"Learned with nm-style learn from {learned.profile.songs} of {len(paths)} files."
    learned = replace(learned, profile=replace(learned.profile, about=about))
    save_style(learned.profile, output)
    if quiet:
        print_notes(learned.notes)
    else:
        print_learned(learned, str(output))


@app.command()
def show(
    style: Annotated[str, typer.Argument(help="Name of a bundled style, or a file.", show_default=False)],
) -> None:
    """Print the levels, spreads and sources of a style."""
    # --help stays quick: these load NumPy
    from neural_mastering.styles.expectations import is_auto
    from neural_mastering.styles.library import find_style

    if is_auto(style):
        raise InputError("auto follows from a song's own content: nm-style compare SONG shows it")
    print_style(find_style(style))


@app.command("list")
def list_styles() -> None:
    """List the bundled styles."""
    print_list()


@app.command()
def compare(
    song: Annotated[Path, typer.Argument(help="Song to compare.", show_default=False)],
    style: Annotated[
        str,
        typer.Option(
            "--style",
            "-s",
            help="Name of a bundled style (see nm-style list), a file, or auto: songs with the same content.",
        ),
    ] = "auto",
    json_file: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Write all numbers as JSON; - for the terminal."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Write the tonal-balance picture: a .png file, or a folder for it."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no table.")] = False,
) -> None:
    """Show where each region of a song lies among finished songs like it, or among the songs of a style.

    The exit code is 0 whatever it finds.
    """
    if plot is not None and plot.suffix.lower() != ".png":
        if plot.suffix and not plot.is_dir():
            raise InputError(f"--plot {plot}: expected a name that ends in .png, or a folder")
        plot = plot / f"{song.stem}_{Path(style).stem}.png"
    for path in (plot, Path(json_file) if json_file not in (None, "-") else None):
        if path is not None and path.is_dir():
            raise InputError(f"{path} is a folder; give a file name")
    # --help stays quick: these load NumPy and numba
    from neural_mastering.styles.compare import compare_file

    comparison = compare_file(song, style)
    if json_file == "-":
        print(_json_text(comparison.to_dict()), end="")
        print_notes(comparison.notes)
    elif not quiet:
        print_comparison(comparison)
    if json_file not in (None, "-"):
        write_text(str(json_file), _json_text(comparison.to_dict()))
    if plot is not None:
        _draw(comparison, plot)


def main() -> None:
    """Entry point: mistakes in one line, without a traceback."""
    listen_to_signals()
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> int:
    """Run with arguments; returns the exit code."""
    return invoke_command(app, "nm-style", arguments)


def _check_output(path: Path, overwrite: bool) -> None:
    """Mistakes that should not wait until all songs are measured."""
    if path.is_dir():
        raise InputError(f"-o {path} is a folder; give a file name")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists: add --overwrite to replace it, or choose another name")
    if not path.absolute().parent.is_dir():
        raise InputError(f"there is no folder {path.absolute().parent} to write {path.name} to")


def _json_text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _draw(comparison: Any, path: Path) -> None:
    # matplotlib takes a second to load
    from neural_mastering.dsp.third_octaves import CENTRES_HZ
    from neural_mastering.reporting.tonal_balance_plot import tonal_balance
    from neural_mastering.styles.regions import REGIONS

    figure = tonal_balance(
        CENTRES_HZ,
        comparison.corridor_db(0.0),
        comparison.tone.sigma,
        comparison.levels_db,
        printable(Path(comparison.song.name).stem),
        printable(comparison.among),
        [(region.name, region.low_hz, region.high_hz) for region in REGIONS],
    )
    with replacing(path) as draft:
        figure.savefig(draft, dpi=130, format="png")


if __name__ == "__main__":
    main()
