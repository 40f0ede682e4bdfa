"""nm-master: master songs from the command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from neural_mastering.allocator import keep_freed_memory
from neural_mastering.cli.console import leave
from neural_mastering.cli.delivery_options import (
    Also,
    Bits,
    Ceiling,
    CodecCheck,
    CodecSafe,
    Density,
    Format,
    MaxReduction,
    Plr,
    ReplayGain,
    SampleRate,
    Target,
)
from neural_mastering.cli.interruption import listen_to_signals
from neural_mastering.cli.invocation import invoke_command
from neural_mastering.cli.master_options import master_options, names, typed_options
from neural_mastering.cli.master_output import MasterPrinter, print_targets
from neural_mastering.cli.song_options import (
    Album,
    AlbumGap,
    AlbumInfo,
    BassMono,
    DualMono,
    FadeIn,
    FadeOut,
    LowerOnly,
    Trim,
)
from neural_mastering.cli.tone_options import (
    Controls,
    Intensity,
    Match,
    Model,
    Only,
    Reference,
    Skip,
    Strength,
    Style,
    Word,
)
from neural_mastering.compile_cache import load_compiler
from neural_mastering.errors import InputError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

_EPILOG = (
    "Unless you give --style, --reference, --controls or --model, the song is compared with finished songs like "
    "it and its tone moves part of the way towards them. With --model none the tone stays as it is and only "
    "loudness and peaks are processed. A platform's target is the loudness at which it plays music back; it is "
    "not a delivery requirement. If a file name begins with a dash, put -- before it: "
    "nm-master -o out.wav -- '-my song.wav'."
)


@app.command(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def run(
    songs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Songs to master, or folders: WAV, FLAC, AIFF, OGG or MP3; other formats need ffmpeg.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="Output file, or a folder (with / at its end). Default: NAME_master next to the song.",
            metavar="PATH",
        ),
    ] = None,
    target: Target = None,
    ceiling: Ceiling = None,
    model: Model = None,
    style: Style = None,
    intensity: Intensity = "balanced",
    controls: Controls = None,
    reference: Reference = None,
    match: Match = None,
    word: Word = None,
    strength: Strength = None,
    skip: Skip = None,
    only: Only = None,
    density: Density = "balanced",
    max_reduction: MaxReduction = 6.0,
    plr: Plr = None,
    bits: Bits = None,
    form: Format = None,
    also: Also = None,
    codec_check: CodecCheck = None,
    codec_safe: CodecSafe = None,
    replaygain: ReplayGain = False,
    sample_rate: SampleRate = None,
    bass_mono: BassMono = None,
    dual_mono: DualMono = False,
    lower_only: LowerOnly = False,
    trim: Trim = False,
    fade_in: FadeIn = None,
    fade_out: FadeOut = None,
    album: Album = False,
    album_gap: AlbumGap = None,
    album_info: AlbumInfo = None,
    jobs: Annotated[int, typer.Option(help="Number of songs to process in parallel.", min=1)] = 1,
    report: Annotated[
        Path | None, typer.Option(help="Write report.html and report.json to this folder.")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            help="Write all measurements to this JSON file (a folder for several songs; - prints them)."
        ),
    ] = None,
    save_controls: Annotated[
        Path | None,
        typer.Option(help="Write the controls to this YAML file, to edit and use with --controls."),
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(
            help="Write presets for other software next to the master: eqapo, camilladsp, jsfx, json.",
            metavar="FORMAT,…",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only warnings and errors.")] = False,
    list_targets: Annotated[
        bool, typer.Option("--list-targets", help="List the loudness targets with their sources, and exit.")
    ] = False,
    list_words: Annotated[
        bool, typer.Option("--list-words", help="List the words and the evidence for each, and exit.")
    ] = False,
) -> None:
    """Master songs: tone (by style, reference, words, a model or your own controls), loudness and true peak."""
    typed = typed_options(locals())
    if list_targets:
        print_targets()
        return
    if list_words:
        from neural_mastering.words.listing import plain_text  # --help stays quick: loads NumPy and numba

        print(plain_text())
        return
    keep_freed_memory()
    load_compiler()
    from neural_mastering.rendering.album import run_album  # --help stays quick: loads NumPy and numba
    from neural_mastering.rendering.album_info import read_album_info
    from neural_mastering.rendering.batch import plan, run_batch
    from neural_mastering.rendering.sources import expand_sources

    prints_json = json == Path("-")
    options = master_options(
        **typed,
        controls=controls,
        overwrite=overwrite,
        report=report,
        json=None if prints_json else json,
        save_controls=save_controls,
        export=names([export] if export is not None else None),
    )
    if not songs:
        raise InputError("no song given. Usage: nm-master SONG -o MASTER (see --help for all options)")
    info = None if album_info is None else read_album_info(album_info)
    if not album and (info is not None or album_gap is not None):
        raise InputError("--album-gap and --album-info are about an album: add --album")
    planned = plan(expand_sources(songs), output, options)
    if prints_json and len(planned) > 1:
        raise InputError("--json - prints the numbers of one song: name a folder for those of several")
    say = MasterPrinter(quiet=quiet, several=len(planned) > 1, prints_json=prints_json)
    if album:
        failed = run_album(planned, say.outcome, album_gap, info)
    elif len(planned) == 1:
        from neural_mastering.rendering.pipeline import master  # --help stays quick: loads NumPy and numba

        job = planned[0]
        say.outcome(job, master(job.source, job.output, job.options, say.step))
        failed = 0
    else:
        failed = run_batch(planned, say.outcome, jobs)
    if failed:
        say.line(f"{failed} of {len(planned)} songs failed", error=True)
    if failed or say.is_incomplete:
        raise typer.Exit(1)


def main() -> None:
    """Entry point: mistakes are explained in one line, without a traceback."""
    listen_to_signals()
    leave(invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> int:
    """Run with arguments; returns the exit code."""
    return invoke_command(app, "nm-master", arguments)


if __name__ == "__main__":
    main()
