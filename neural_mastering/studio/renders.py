"""Masters of songs and albums in a folder of their own, each by the very command that the page shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from neural_mastering.atomic import write_text
from neural_mastering.controls import save_controls
from neural_mastering.errors import InputError
from neural_mastering.rendering.album import run_album
from neural_mastering.rendering.album_info import AlbumInfo, read_album_info
from neural_mastering.rendering.batch import Job
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.outputs.export import FORMATS
from neural_mastering.rendering.outputs.numbers import as_json
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.result import MasterResult
from neural_mastering.studio.command_line import command_text
from neural_mastering.studio.render_requests import RenderRequest

Progress = Callable[[str], None]


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
    """Masters with one gain for all, as `nm-master --album` makes them, each with its own controls.

    Args:
        requests: in the order of the album.
        folder: an empty one.
        progress: called with a word for each step.
        gap_s: seconds of silence between songs that don't join; None leaves what is there.
        info: text of a CSV file with order and tags, as `--album-info` takes it.

    Raises:
        InputError: of the first track that fails; two tracks of one name; a gap or a table that can't be used.
    """
    names = [request.file_name.casefold() for request in requests]
    if len(set(names)) < len(names):
        raise InputError("two songs of the album would get the same file name: rename one of them")
    progress("rendering")
    jobs = [Job(r.source, folder / r.file_name, _prepared(r, folder)) for r in requests]
    results: dict[Path, MasterResult] = {}

    def report(job: Job, outcome: MasterResult | Exception) -> None:
        assert isinstance(outcome, MasterResult)  # an album is made whole or not at all
        results[job.output] = outcome
        progress(f"{job.source.name} is done")

    run_album(jobs, report, gap_s, _album_info(folder, info))
    tracks = [
        _outcome(request, folder, results[job.output]) for request, job in zip(requests, jobs, strict=True)
    ]
    return {"files": listing(folder), "songs": tracks}


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


_KINDS = {".yaml": "controls", ".cue": "playlist", ".m3u8": "playlist", ".csv": "playlist"}


def _kind(path: Path) -> str:
    name = path.name
    if name in ("report.html", "report.json"):
        return "report"
    if any(name.endswith(ending) for ending, _ in FORMATS.values()):
        return "preset"
    return _KINDS.get(path.suffix, "audio")
