"""Masters of songs and albums in a folder of their own, each by the very command that the page shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neural_mastering.audio_io.file_format import LOSSLESS_SUFFIXES, parse_encoding
from neural_mastering.controls import ChainControls, controls_of, save_controls
from neural_mastering.errors import InputError
from neural_mastering.rendering.album import run_album
from neural_mastering.rendering.batch import Job
from neural_mastering.rendering.delivery.targets import known_targets
from neural_mastering.rendering.options import DC_REMOVAL, LIMITER, PEAK_CONTROL, Options, stage_names
from neural_mastering.rendering.outputs.export import FORMATS
from neural_mastering.rendering.outputs.numbers import as_json
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.result import MasterResult
from neural_mastering.rendering.settings import References, Settings, settings_of
from neural_mastering.studio.command_line import command_text, master_command

Progress = Callable[[str], None]

_DELIVERY = (DC_REMOVAL, PEAK_CONTROL, LIMITER)


@dataclass(frozen=True)
class RenderRequest:
    """One master to make.

    Attributes:
        source: the song.
        controls: what is rendered; strengths of the chain's stages are in it.
        settings: for the delivery; see `delivery_settings`.
        name: of the master, without an ending.
        export: formats of presets.
        with_report: write a report page, too.
    """

    source: Path
    controls: ChainControls
    settings: Settings
    name: str
    export: tuple[str, ...] = ()
    with_report: bool = False

    @property
    def file_name(self) -> str:
        """Of the master."""
        return self.name + master_suffix(self.source, self.settings)

    @property
    def command(self) -> list[str]:
        """nm-master with the names that a person sees."""
        report = f"{self.name}_report" if self.with_report else ""
        names = (self.source.name, self.file_name, f"{self.name}.yaml")
        return master_command(*names, self.settings, self.export, report)


def master_suffix(source: Path, settings: Settings) -> str:
    """The ending of a master's name: that of its format, else of a lossless source, else .wav."""
    if settings.format is not None:
        return parse_encoding(settings.format, "--format").format.suffix
    own = source.suffix.lower()
    return own if own in LOSSLESS_SUFFIXES else ".wav"


def request_of(
    arguments: Mapping[str, Any], decision: Mapping[str, Any], references: References
) -> RenderRequest:
    """A request from plain data; controls that are null are the decided ones.

    Raises:
        InputError: controls that can't be used.
    """
    settings = settings_of(arguments["settings"])
    given = arguments["controls"]
    controls = controls_of(decision["controls"] if given is None else given)
    options = settings.options(references)
    return RenderRequest(
        source=Path(arguments["source"]),
        controls=controls,
        settings=delivery_settings(settings, options, controls, decision["target"]),
        name=arguments["name"],
        export=tuple(arguments.get("export", ())),
        with_report=bool(arguments.get("report", False)),
    )


def delivery_settings(
    settings: Settings, options: Options, controls: ChainControls, target: Mapping[str, Any]
) -> Settings:
    """What is left of settings once controls and target are decided: what nm-master --controls still needs.

    Args:
        settings: all of them.
        options: the same, checked.
        controls: decided, or edited by hand; strengths are in them, so only stages that are skipped are named.
        target: name, lufs and ceiling_db of the decision.
    """
    kept = {name: settings.strength[name] for name in _DELIVERY if name in settings.strength}
    known = (*controls.stage_names, *_DELIVERY)
    return replace(
        Settings(),
        target=_target(target),
        ceiling="off" if target["ceiling_db"] is None else float(target["ceiling_db"]),
        density=settings.density,
        max_reduction_db=settings.max_reduction_db,
        strength=kept,
        skip=tuple(name for name in stage_names() if name in known and options.share_of(name) == 0.0),
        model=None if controls.residual is None else settings.model,
        bits=settings.bits,
        format=settings.format,
        also=settings.also,
        codec_check=settings.codec_check,
        codec_safe=settings.codec_safe,
        replaygain=settings.replaygain,
        sample_rate_hz=settings.sample_rate_hz,
    )


def render_master(request: RenderRequest, folder: Path, progress: Progress) -> dict[str, Any]:
    """Write a master with its controls into an empty folder; gives its files, its numbers and the command.

    Raises:
        InputError: settings or controls that can't be used.
    """
    options = _prepared(request, folder)
    result = master(request.source, folder / request.file_name, options, progress)
    return _outcome(request, folder, result)


def render_album(requests: Sequence[RenderRequest], folder: Path, progress: Progress) -> dict[str, Any]:
    """Masters with one gain for all, as `nm-master --album` makes them, each with its own controls.

    Raises:
        InputError: of the first track that fails; or two tracks of one name.
    """
    names = [request.file_name.casefold() for request in requests]
    if len(set(names)) < len(names):
        raise InputError("two songs of the album would get the same file name: rename one of them")
    progress("rendering")
    jobs = [Job(r.source, folder / r.file_name, _prepared(r, folder)) for r in requests]
    results: list[MasterResult] = []

    def report(job: Job, outcome: MasterResult | Exception) -> None:
        assert isinstance(outcome, MasterResult)  # an album is made whole or not at all
        results.append(outcome)
        progress(f"{job.source.name} is done")

    run_album(jobs, report)
    tracks = [_outcome(request, folder, result) for request, result in zip(requests, results, strict=True)]
    return {"files": listing(folder), "songs": tracks}


def listing(folder: Path) -> list[dict[str, Any]]:
    """The files of a finished job: name, size, and what kind each is."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        {"name": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "kind": _kind(path)}
        for path in files
    ]


def command_of(
    source: Path, asked: Mapping[str, Any], decision: Mapping[str, Any], references: References
) -> dict[str, Any]:
    """The command of a master as arguments and as one line."""
    request = request_of({**asked, "source": str(source)}, decision, references)
    return {"command": request.command, "text": command_text(request.command)}


def _prepared(request: RenderRequest, folder: Path) -> Options:
    controls = folder / f"{request.name}.yaml"
    save_controls(request.controls, controls)
    return request.settings.options(
        controls=controls,
        report=folder / f"{request.name}_report" if request.with_report else None,
        export=request.export,
    )


def _outcome(request: RenderRequest, folder: Path, result: MasterResult) -> dict[str, Any]:
    numbers = as_json(result)
    numbers["files"] = {
        "input": request.source.name,
        "output": result.output.name,
        "also": [path.name for path in result.copies],
    }
    report = folder / f"{request.name}_report" / "report.html"
    return {
        "files": listing(folder),
        "command": request.command,
        "command_text": command_text(request.command),
        "summary": numbers,
        "report": report.relative_to(folder).as_posix() if report.is_file() else None,
    }


def _target(decided: Mapping[str, Any]) -> str | float:
    """A destination keeps its name; a number, or what references suggest, stays a number."""
    if decided["lufs"] is None:
        return "keep"
    return decided["name"] if decided["name"] in known_targets() else float(decided["lufs"])


def _kind(path: Path) -> str:
    name = path.name
    if name in ("report.html", "report.json"):
        return "report"
    if any(name.endswith(ending) for ending, _ in FORMATS.values()):
        return "preset"
    return "controls" if path.suffix == ".yaml" else "audio"
