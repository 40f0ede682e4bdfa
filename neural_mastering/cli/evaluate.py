"""nm-eval: find out what a model has learned, whether it beats doing nothing, and why."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from neural_mastering.cli.invocation import invoke_command
from neural_mastering.errors import InputError

app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)


@app.callback(invoke_without_command=True)
def evaluate(
    context: typer.Context,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            help="Model to evaluate: a run folder, .ckpt file, bundle (NAME.json) or bundled model. Repeatable.",
            show_default=False,
        ),
    ] = None,
    systems: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=DIR",
            help="Folder of masters from any other source, one file per song. Repeatable.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Folder with unmastered/ and mastered/, or demo for the bundled pairs.", show_default=False
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the results.", show_default=False)] = None,
    split: Annotated[str, typer.Option(help="Songs to evaluate: train, validation, test or all.")] = "test",
    song: Annotated[list[str] | None, typer.Option(help="Evaluate only this song. Repeatable.")] = None,
    segments: Annotated[
        int, typer.Option(min=0, help="Fixed segments per song; 0 for whole songs only.")
    ] = 6,
    segment_s: Annotated[float, typer.Option(min=0.5, help="Length of a segment in seconds.")] = 5.0,
    high_hz: Annotated[
        float,
        typer.Option(
            min=1000.0,
            help="Upper limit of the third-octave bands in Hz; lossy files contain little above 15 kHz.",
        ),
    ] = 15_000.0,
    ablations: Annotated[
        bool, typer.Option(help="Also evaluate each model with one part removed at a time.")
    ] = True,
    peers: Annotated[bool, typer.Option(help="Compare with Matchering if it is installed.")] = True,
    report: Annotated[bool, typer.Option(help="Write report.html with audio players.")] = True,
    sample_rate: Annotated[
        int | None,
        typer.Option(
            min=8000,
            help="Sample rate in Hz if there is no --checkpoint. Default: 44100; a model uses its own.",
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Number of processes. Default: one per core.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    cache_dir: Annotated[Path | None, typer.Option(help="Folder for resampled files.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier results in --out.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors.")] = False,
) -> None:
    """Evaluate models, baselines and masters from other sources, on whole songs and on fixed segments.

    nm-eval --checkpoint runs/1c/DATE --data DIR --out eval/1c

    nm-eval --checkpoint modest-eq-2 --data DIR --split all --out eval/bundled

    nm-eval inspect modest-eq-2
    """
    if context.invoked_subcommand is not None:
        return
    if data is None or out is None:
        raise InputError("--data DIR and --out DIR are required (see nm-eval --help)")
    if not checkpoint and not systems:
        raise InputError("nothing to evaluate: give --checkpoint RUN_OR_CKPT or --systems NAME=DIR")
    folders = _systems(systems or [])
    # torch takes seconds to import; --help and mistakes above should not wait for it
    from neural_mastering.evaluation.evaluate import evaluate
    from neural_mastering.evaluation.measure_song import EvaluationOptions  # --help stays quick: loads torch
    from neural_mastering.evaluation.request import EvaluationRequest

    request = EvaluationRequest(
        checkpoints=tuple(checkpoint or ()),
        data=data,
        out=out.expanduser(),
        split=split,
        systems=folders,
        songs=tuple(song or ()),
        options=EvaluationOptions(
            high_hz=high_hz, segment_s=segment_s, segments=segments, ablations=ablations
        ),
        sample_rate=sample_rate,
        peers=peers,
        report=report,
        jobs=jobs,
        seed=seed,
        overwrite=overwrite,
        cache_folder=cache_dir,
        command=shlex.join(["nm-eval", *sys.argv[1:]]),
    )
    # --help stays quick: loads torch
    from neural_mastering.cli.evaluate_output import TerminalProgress, print_summary

    with TerminalProgress(quiet) as progress:
        evaluation = evaluate(request, progress)
    if not quiet:
        print_summary(evaluation, request.out)


@app.command()
def inspect(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            help="Run folder, .ckpt file, bundle (NAME.json) or bundled model.", show_default=False
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Print a model's phase, devices, parameter counts, training data and configuration."""
    from neural_mastering.cli.evaluate_output import print_inspection  # --help stays quick: loads torch

    print_inspection(checkpoint, as_json)


def _systems(arguments: list[str]) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for argument in arguments:
        name, separator, folder = argument.partition("=")
        if not separator or not name.strip() or not folder:
            raise InputError(
                f"--systems {argument}: expected NAME=DIR, such as --systems 'my chain'=masters/"
            )
        path = Path(folder).expanduser()
        if not path.is_dir():
            raise InputError(f"--systems {argument}: there is no folder {path}")
        if name.strip() in folders:
            raise InputError(f"--systems names '{name.strip()}' twice")
        folders[name.strip()] = path
    return folders


def main() -> None:
    """Entry point: mistakes in one line, without a traceback."""
    sys.exit(invoke_command(app, "nm-eval", sys.argv[1:], "stopped"))


if __name__ == "__main__":
    main()
