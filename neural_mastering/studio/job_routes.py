"""Routes of masters and jobs: render, watch, cancel, download."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from neural_mastering.controls import controls_of, save_controls
from neural_mastering.errors import InputError
from neural_mastering.rendering.outputs.export import FORMATS, export_controls
from neural_mastering.studio.decision_files import kept_decision
from neural_mastering.studio.jobs import StudioJob
from neural_mastering.studio.project import safe_stem
from neural_mastering.studio.render_requests import command_of
from neural_mastering.studio.requests import AlbumRequest, CommandRequest, ExportRequest
from neural_mastering.studio.song_routes import workspace
from neural_mastering.studio.workspace import MissingError, Workspace

router = APIRouter()


@router.post("/songs/{song}/render", status_code=202)
async def render(request: Request, song: str, body: CommandRequest) -> dict[str, Any]:
    """Make a master: a job whose result has its files, numbers and the command that makes the same."""
    space = workspace(request)
    own = space.song(song)
    return space.render(own, body.settings, _asked(body, own.name)).as_dict()


@router.post("/album/render", status_code=202)
async def render_album(request: Request, body: AlbumRequest) -> dict[str, Any]:
    """Make masters of all songs with one gain, each with its own controls, and the command that makes the same."""
    space = workspace(request)
    entries = []
    for each in space.project.document.order:
        song = space.song(each)
        asked = {"controls": song.controls, "name": song.name, "export": [], "report": body.report}
        settings = body.settings.with_tone_of(song.settings)
        entries.append({"song": song, "settings": settings, "request": asked})
    if not entries:
        raise InputError("the album has no songs: add some first")
    return space.render_album(entries, body.gap_s, body.info).as_dict()


@router.post("/songs/{song}/command")
async def command(request: Request, song: str, body: CommandRequest) -> dict[str, Any]:
    """The command that makes the same master, once the song is decided."""
    space = workspace(request)
    own = space.song(song)
    space.named.check(body.settings)
    settings, references = space.named.resolved(body.settings), space.named.references(body.settings)
    folder = space.project.folder_of(own.id)
    decision = kept_decision(settings.at_full_strength(), references, folder)
    if decision is None:
        raise InputError("decide first: the command follows from the decision")
    asked = _asked(body, own.name)
    source = space.project.source_of(own)
    return command_of(source, asked | {"settings": vars(settings)}, decision, references)


@router.post("/songs/{song}/export")
async def export(request: Request, song: str, body: ExportRequest) -> Response:
    """Controls as a file: `controls` (YAML for nm-master), or a preset for other software."""
    space = workspace(request)
    own = space.song(song)
    rate = space.summary(own)["sample_rate"]
    controls, stem = controls_of(body.controls), safe_stem(Path(own.name).stem)
    with tempfile.TemporaryDirectory(dir=space.project.work) as folder:
        if body.format == "controls":
            path = Path(folder) / f"{stem}.yaml"
            save_controls(controls, path)
        elif body.format in FORMATS:
            path = export_controls(controls, [body.format], Path(folder) / stem, rate)[0].path
        else:
            raise InputError(f"unknown format '{body.format[:40]}': expected controls, {', '.join(FORMATS)}")
        return attachment(path.name, path.read_bytes(), "text/plain; charset=utf-8")


@router.get("/jobs/{job}")
async def job_state(request: Request, job: str) -> dict[str, Any]:
    """Where a job stands, and its result."""
    return _job(workspace(request), job).as_dict()


@router.get("/jobs/{job}/events")
async def job_events(request: Request, job: str) -> StreamingResponse:
    """The same as server-sent events, until the job is over."""
    space = workspace(request)
    watched = _job(space, job)

    async def events() -> AsyncGenerator[str, None]:
        async for state in space.jobs.watch(watched):
            yield f"data: {json.dumps(state)}\n\n"

    return space.streams.response(events())


@router.delete("/jobs/{job}")
async def cancel(request: Request, job: str) -> dict[str, Any]:
    """Cancel a job; what it had half written is removed."""
    space = workspace(request)
    found = _job(space, job)
    space.jobs.cancel(found)
    return found.as_dict()


@router.get("/jobs/{job}/files/{name:path}")
async def job_file(request: Request, job: str, name: str) -> FileResponse:
    """Download a file of a finished job."""
    space = workspace(request)
    path = space.result_file(_job(space, job), name)
    return FileResponse(path, filename=path.name, media_type="application/octet-stream")


def attachment(name: str, data: bytes, media_type: str) -> Response:
    """A download, whatever is in it."""
    answer = Response(data, media_type=media_type)
    quoted = FileResponse(__file__, filename=name).headers["content-disposition"]  # as Starlette quotes names
    answer.headers["content-disposition"] = quoted
    return answer


def _asked(body: CommandRequest, song: str) -> dict[str, Any]:
    name = safe_stem(body.name) if body.name else f"{safe_stem(Path(song).stem)}_master"
    unknown = [each for each in body.export if each not in FORMATS]
    if unknown:
        raise InputError(f"--export {unknown[0][:40]}: expected {', '.join(FORMATS)}")
    return {"controls": body.controls, "name": name, "export": body.export, "report": body.report}


def _job(space: Workspace, job: str) -> StudioJob:
    found = space.jobs.get(job)
    if found is None:
        raise MissingError(f"there is no job {job[:40]}")
    return found
