"""Masters of songs and albums in a folder of their own, each by the very command that the page shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from neural_mastering.atomic import write_text
from neural_mastering.controls import save_controls, scaled
from neural_mastering.errors import InputError
from neural_mastering.rendering.album import run_album
from neural_mastering.rendering.album_info import AlbumInfo, read_album_info
from neural_mastering.rendering.batch import Job, names_beside, plan
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.outputs.export import FORMATS
from neural_mastering.rendering.outputs.numbers import as_json
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.result import MasterResult
from neural_mastering.rendering.settings import Settings
from neural_mastering.studio.command_line import album_command, command_text
from neural_mastering.studio.render_requests import RenderRequest, master_suffix

Progress = Callable[[str], None]

CONTROLS, REPORTS = "controls", "reports"
"""Folders of an album: a file of controls, and a report, for each song."""


def render_master(request: RenderRequest, folder: Path, progress: Progress) -> dict[str, Any]:
    """Write a master with its controls into an empty folder; gives its files, its numbers and the command.

    Raises:
        InputError: settings or controls that can't be used.
    """
    options = _prepared(request, folder)
    result = master(request.source, folder / request.file_name, options, progress)
    return _outcome(request, folder, result)


def render_album(
    requests: Sequence[RenderRequest],
    folder: Path,
    progress: Progress,
    gap_s: float | None = None,
    info: str = "",
) -> dict[str, Any]:
    """Masters with one gain for all, by `nm-master --album` with a folder of controls, one file for each song.

    Strengths and skipped stages of a song's chain are in its file, so that the rest is the same for all songs.

    Args:
        requests: in the order of the album.
        folder: an empty one.
        progress: called with a word for each step.
        gap_s: seconds of silence between songs that don't join; None leaves what is there.
        info: text of a CSV file with order and tags, as `--album-info` takes it.

    Raises:
        InputError: of the first track that fails; two tracks of one name; residuals of different models; a gap or a
            table that can't be used.
    """
    sources = [request.source for request in requests]
    outputs = [folder / (r.source.stem + master_suffix(r.source, r.settings)) for r in requests]
    if len({output.name.casefold() for output in outputs}) < len(outputs):
        raise InputError(
            "two songs of the album would get the same file name: rename one of the files, and add it anew"
        )
    progress("rendering")
    settings = _album_settings(requests, names_beside(outputs), folder / CONTROLS)
    reports = REPORTS if requests[0].with_report else ""
    results: dict[Path, MasterResult] = {}

    def tell(job: Job, outcome: MasterResult | Exception) -> None:
        assert isinstance(outcome, MasterResult)  # an album is made whole or not at all
        results[job.output] = outcome
        progress(f"{job.source.name} is done")

    table = _album_info(folder, info)
    options = settings.options(controls=folder / CONTROLS, report=folder / reports if reports else None)
    run_album(plan(sources, f"{folder}/", options), tell, gap_s, table)
    names, titles = [source.name for source in sources], "" if table is None else table.path.name
    command = album_command(names, settings, gap_s, titles, CONTROLS, reports)
    return {
        "files": listing(folder),
        "songs": [_numbers(source, results[output]) for source, output in zip(sources, outputs, strict=True)],
        "command": command,
        "command_text": command_text(command),
    }


def _album_settings(requests: Sequence[RenderRequest], names: Sequence[str], folder: Path) -> Settings:
    """Settings for all songs, once each song's chain is in a file of controls in the folder."""
    folder.mkdir()
    models: set[str | None] = set()
    for request, name in zip(requests, names, strict=True):
        controls = scaled(request.controls, request.settings.options().shares(request.controls))
        save_controls(controls, folder / f"{name}.yaml")
        if controls.residual is not None:
            models.add(request.settings.model)
    if len(models) > 1:
        raise InputError("the songs of an album share one model: choose the same for all of them, or none")
    return replace(requests[0].settings.at_full_strength(), model=next(iter(models), None))


def _album_info(folder: Path, text: str) -> AlbumInfo | None:
    if not text.strip():
        return None
    path = folder / "album.csv"
    write_text(path, text)
    return read_album_info(path)


def listing(folder: Path) -> list[dict[str, Any]]:
    """The files of a finished job: name, size, and what kind each is."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        {"name": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "kind": _kind(path)}
        for path in files
    ]


def _prepared(request: RenderRequest, folder: Path) -> Options:
    controls = folder / f"{request.name}.yaml"
    save_controls(request.controls, controls)
    return request.settings.options(
        controls=controls,
        report=folder / f"{request.name}_report" if request.with_report else None,
        export=request.export,
    )


def _outcome(request: RenderRequest, folder: Path, result: MasterResult) -> dict[str, Any]:
    report = folder / f"{request.name}_report" / "report.html"
    return {
        "files": listing(folder),
        "command": request.command,
        "command_text": command_text(request.command),
        "summary": _numbers(request.source, result),
        "report": report.relative_to(folder).as_posix() if report.is_file() else None,
    }


def _numbers(source: Path, result: MasterResult) -> dict[str, Any]:
    """The record of a master, files by name."""
    also = [path.name for path in result.copies]
    return {**as_json(result), "files": {"input": source.name, "output": result.output.name, "also": also}}


_KINDS = {".yaml": "controls", ".cue": "playlist", ".m3u8": "playlist", ".csv": "playlist"}


def _kind(path: Path) -> str:
    name = path.name
    if name in ("report.html", "report.json"):
        return "report"
    if any(name.endswith(ending) for ending, _ in FORMATS.values()):
        return "preset"
    return _KINDS.get(path.suffix, "audio")
