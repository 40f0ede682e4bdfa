"""Routes of songs: upload, what they measure, decisions, previews."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.background import BackgroundTask

from neural_mastering.controls import controls_of
from neural_mastering.rendering.settings import Settings
from neural_mastering.studio.documents import Role
from neural_mastering.studio.jobs import StudioJob
from neural_mastering.studio.requests import CompareRequest, PreviewRequest, SectionsRequest
from neural_mastering.studio.sections import sections_of
from neural_mastering.studio.song_files import SPECTRUM, WAVEFORM
from neural_mastering.studio.workspace import Workspace

router = APIRouter()

_TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".aif": "audio/aiff", ".aiff": "audio/aiff"}


def workspace(request: Request) -> Workspace:
    """The server's workspace."""
    return request.app.state.workspace


@router.post("/songs", status_code=202)
async def upload(request: Request, name: str, role: Role = "song") -> dict[str, Any]:
    """Add a song: the body is the file's bytes. Gives its id, and the job that measures it, if it is new."""
    space = workspace(request)
    length = request.headers.get("content-length", "")
    declared = int(length) if length.isdigit() else None
    song, job = await space.add_upload(name, role, declared, request.stream())
    return {"id": song.id, "job": None if job is None else job.id}


@router.get("/folder")
def folder(request: Request) -> list[dict[str, Any]]:
    """What the folder that was opened with --folder holds: songs, styles and models."""
    return workspace(request).shared.listing()


@router.post("/folder/{name}", status_code=202)
async def add_from_folder(request: Request, name: str, role: Role = "song") -> dict[str, Any]:
    """Add a song of that folder, where it is."""
    song, job = workspace(request).add_shared(name, role)
    return {"id": song.id, "job": None if job is None else job.id}


@router.get("/songs")
async def songs(request: Request) -> list[dict[str, Any]]:
    """All songs: those of the album in its order, then the references."""
    space = workspace(request)
    document = space.project.document
    album = [space.song(each) for each in document.order]
    others = [each for each in document.songs if each.id not in document.order]
    return [space.state(each) for each in [*album, *others]]


@router.put("/songs/order")
async def order(request: Request, ids: list[str]) -> list[dict[str, Any]]:
    """Give the album's songs an order."""
    workspace(request).project.reorder(ids)
    return await songs(request)


@router.delete("/songs/{song}")
async def remove(request: Request, song: str) -> dict[str, str]:
    """Forget a song; a file that was only named stays where it is."""
    workspace(request).remove(song)
    return {"id": song}


@router.get("/songs/{song}")
async def song_details(request: Request, song: str) -> JSONResponse:
    """What a song measures."""
    space = workspace(request)
    return JSONResponse(space.details(space.song(song)))


@router.get("/songs/{song}/waveform")
async def waveform(request: Request, song: str) -> FileResponse:
    """The waveform as binary levels; see docs/studio_api.md."""
    space = workspace(request)
    return FileResponse(space.file(space.song(song), WAVEFORM), media_type="application/octet-stream")


@router.get("/songs/{song}/spectrum")
async def spectrum(request: Request, song: str) -> FileResponse:
    """Third octaves and 1/12 octaves, loudness subtracted."""
    space = workspace(request)
    return FileResponse(space.file(space.song(song), SPECTRUM), media_type="application/json")


@router.get("/songs/{song}/pcm")
def pcm(request: Request, song: str, start: int, frames: int) -> Response:
    """Samples as little-endian float32, interleaved, at the song's rate; up to 2²⁰ frames."""
    space = workspace(request)
    return Response(space.pcm(space.song(song), start, frames), media_type="application/octet-stream")


@router.get("/songs/{song}/audio")
async def audio(request: Request, song: str) -> FileResponse:
    """The song as a lossless file, by ranges."""
    space = workspace(request)
    path = space.audio(space.song(song))
    return FileResponse(path, media_type=_TYPES.get(path.suffix.lower(), "application/octet-stream"))


@router.post("/songs/{song}/decide", status_code=202)
async def decide(request: Request, song: str, settings: Settings) -> dict[str, Any]:
    """Decide what the song needs: a job whose result has controls, curve, notes and target."""
    space = workspace(request)
    return space.decide(space.song(song), settings).as_dict()


@router.post("/songs/{song}/proposals", status_code=202)
async def proposals(request: Request, song: str, settings: Settings) -> dict[str, Any]:
    """Three decisions: gentle, balanced and strong."""
    space = workspace(request)
    return space.propose(space.song(song), settings).as_dict()


@router.post("/songs/{song}/compare")
async def compare(request: Request, song: str, body: CompareRequest) -> dict[str, Any]:
    """Where the song lies among those of a style, or beside a reference."""
    space = workspace(request)
    own = space.song(song)
    if body.style is None:
        other = space.song(body.reference or "")
        levels, usual = (json.loads(space.file(s, SPECTRUM).read_text()) for s in (own, other))
        unknown = [None] * len(levels["hz"])
        not_known = {"sd_db": unknown, "kinds": {}, "regions": [], "numbers": [], "notes": []}
        return {key: levels[key] for key in ("hz", "level_db")} | {"usual_db": usual["level_db"]} | not_known
    found = await _result(request, space.compare(own, body.style))
    bands = found["bands"]
    columns = {key: [band[key] for band in bands] for key in ("hz", "level_db", "usual_db", "sd_db")}
    return {**columns, **{key: found[key] for key in ("style", "kinds", "regions", "numbers", "notes")}}


@router.post("/sections")
async def sections(body: SectionsRequest) -> JSONResponse:
    """The live part of a chain as second-order sections."""
    return JSONResponse(sections_of(controls_of(body.controls), body.sample_rate))


@router.post("/songs/{song}/preview")
async def preview(request: Request, song: str, body: PreviewRequest) -> Response:
    """A stretch of the song through the exact chain, as little-endian float32; a newer preview replaces it."""
    space = workspace(request)
    own = space.song(song)
    asked = body.model_dump(include={"controls", "start", "frames", "solo", "bypass"})
    job = space.preview(own, body.settings, asked)
    watcher = asyncio.create_task(_cancel_when_gone(request, space, job))
    try:
        await space.jobs.wait(job)
    finally:
        watcher.cancel()
    if job.state != "done":
        return _failed(job, "a newer preview has replaced this one")
    space.meters[own.id] = job.result
    path = job.arguments["out"]
    headers = {"X-NM-Gain-DB": repr(job.result["gain_db"]), "X-NM-LUFS": repr(job.result["lufs"])}
    done = BackgroundTask(space.discard, job)
    return FileResponse(path, media_type="application/octet-stream", headers=headers, background=done)


@router.get("/songs/{song}/preview/meters")
async def preview_meters(request: Request, song: str) -> dict[str, Any]:
    """What the last preview's meters read: gain, loudness before and after, reduction every 100 ms by stage."""
    space = workspace(request)
    return space.meters.get(space.song(song).id, {})


async def _result(request: Request, job: StudioJob) -> Any:
    """Wait for a job."""
    await workspace(request).jobs.wait(job)
    if job.state != "done":
        raise JobError(job.error or "a newer request has replaced this one")
    return job.result


class JobError(Exception):
    """A job that a request waited for has failed."""


async def _cancel_when_gone(request: Request, space: Workspace, job: StudioJob) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(0.1)
    space.jobs.cancel(job)


def _failed(job: StudioJob, replaced: str) -> JSONResponse:
    if job.state == "cancelled":
        return JSONResponse({"error": replaced}, status_code=409)
    return JSONResponse({"error": job.error}, status_code=422)
