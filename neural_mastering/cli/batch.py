"""nm-batch: thousands of songs, with a memory, on one machine or many."""

import signal
import sys
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from neural_mastering.cli.batch_options import (
    AnyVersion,
    DryRun,
    EngineName,
    Jobs,
    Manifest,
    MaxDownload,
    MemoryLimit,
    Output,
    Quiet,
    RayAddress,
    Retry,
    Scratch,
    Shard,
    SlurmCluster,
    SlurmJobs,
    SlurmOption,
    TimeLimit,
)
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
from neural_mastering.cli.invocation import invoke_command
from neural_mastering.cli.master_options import master_settings, names, typed_options
from neural_mastering.cli.song_options import BassMono, DualMono, FadeIn, FadeOut, LowerOnly, Trim
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

app = typer.Typer(
    help="Work through thousands of songs. What is done is remembered: start the same command again after an "
    "interruption, a crash or a change of the manifest, and it does what is missing.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_BATCH = [
    "output",
    "jobs",
    "engine",
    "shard",
    "retry",
    "dry_run",
    "time_limit",
    "memory_limit_gb",
    "max_download_gb",
    "scratch",
    "any_version",
    "quiet",
    "ray_address",
    "slurm_jobs",
    "slurm_option",
    "slurm_cluster",
]


@app.command()
def master(
    manifest: Manifest,
    output: Output,
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
    export: Annotated[
        str | None,
        typer.Option(help="Presets beside each master: eqapo, camilladsp, jsfx, json.", metavar="FORMAT,…"),
    ] = None,
    masters: Annotated[
        str | None,
        typer.Option(help="Folder or URL for the masters, such as s3://bucket/masters.", metavar="PLACE"),
    ] = None,
    reports: Annotated[bool, typer.Option("--reports", help="Write a report for each master.")] = False,
    jobs: Jobs = 0,
    engine: EngineName = "local",
    shard: Shard = None,
    retry: Retry = None,
    dry_run: DryRun = False,
    time_limit: TimeLimit = 1800.0,
    memory_limit_gb: MemoryLimit = 4.0,
    max_download_gb: MaxDownload = 4.0,
    scratch: Scratch = None,
    any_version: AnyVersion = False,
    quiet: Quiet = False,
    ray_address: RayAddress = None,
    slurm_jobs: SlurmJobs = 8,
    slurm_option: SlurmOption = None,
    slurm_cluster: SlurmCluster = None,
) -> None:
    """Master every song of a manifest with the options of nm-master.

    A row's own target, style and reference come first. Songs that share an album get one gain.
    """
    given = locals()
    settings = master_settings(**typed_options(given))
    plain = _plain(settings, controls, names([export] if export is not None else None))
    _run("master", given, plain, masters=masters, reports=reports)


@app.command()
def measure(
    manifest: Manifest,
    output: Output,
    jobs: Jobs = 0,
    engine: EngineName = "local",
    shard: Shard = None,
    retry: Retry = None,
    dry_run: DryRun = False,
    time_limit: TimeLimit = 600.0,
    memory_limit_gb: MemoryLimit = 4.0,
    max_download_gb: MaxDownload = 4.0,
    scratch: Scratch = None,
    any_version: AnyVersion = False,
    quiet: Quiet = False,
    ray_address: RayAddress = None,
    slurm_jobs: SlurmJobs = 8,
    slurm_option: SlurmOption = None,
    slurm_cluster: SlurmCluster = None,
) -> None:
    """Measure every song of a manifest: a catalogue's health report. Writes the table and its page alone."""
    _run("measure", locals(), {})


@app.command()
def evaluate(
    manifest: Manifest,
    output: Output,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Run folder, checkpoint or bundled model to evaluate. Repeatable."),
    ] = None,
    jobs: Jobs = 0,
    engine: EngineName = "local",
    shard: Shard = None,
    retry: Retry = None,
    dry_run: DryRun = False,
    time_limit: TimeLimit = 1800.0,
    memory_limit_gb: MemoryLimit = 4.0,
    max_download_gb: MaxDownload = 4.0,
    scratch: Scratch = None,
    any_version: AnyVersion = False,
    quiet: Quiet = False,
    ray_address: RayAddress = None,
    slurm_jobs: SlurmJobs = 8,
    slurm_option: SlurmOption = None,
    slurm_cluster: SlurmCluster = None,
) -> None:
    """Evaluate every song of a manifest against its finished master, the column reference, as nm-eval does."""
    given = locals()
    models = [str(Path(name).absolute()) if Path(name).exists() else name for name in model or []]
    _run("evaluate", given, {"models": models} if models else {})


def main() -> None:
    """Entry point: mistakes in one line, without a traceback."""
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(invoke(sys.argv[1:]))


def _stop(*_: object) -> None:
    """A polite request to end is as Ctrl-C: workers end, and what is done is written down."""
    raise KeyboardInterrupt


def invoke(arguments: list[str]) -> int:
    """Run with arguments; returns the exit code."""
    return invoke_command(app, "nm-batch", arguments)


def _plain(settings: Any, controls: Path | None, export: tuple[str, ...]) -> dict[str, Any]:
    """Settings as plain data with absolute paths, checked; what is at its default is left out."""
    # --help stays quick: loads NumPy and numba
    from neural_mastering.rendering.options import parse_references

    references = parse_references(settings.references)
    settings.options(references, controls=controls, export=export)
    default = type(settings)()
    plain: dict[str, Any] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value != getattr(default, field.name):
            plain[field.name] = list(value) if isinstance(value, tuple) else value
    if references:
        plain["references"] = [f"{path.absolute()}={weight:g}" for path, weight in references]
    for name, value in (("style", settings.style), ("model", settings.model), ("controls", controls)):
        if value is not None:
            plain[name] = str(Path(value).absolute()) if Path(value).exists() else str(value)
    return plain | ({"export": list(export)} if export else {})


def _run(kind: Any, given: dict[str, Any], settings: dict[str, Any], **further: Any) -> None:
    # --help stays quick: loads NumPy and numba
    from neural_mastering.cli.batch_run import BatchOptions, run

    options = BatchOptions(**{name: given[name] for name in _BATCH})
    code = run(kind, given["manifest"], options, settings, **further)
    if code:
        raise typer.Exit(code)


if __name__ == "__main__":
    main()
