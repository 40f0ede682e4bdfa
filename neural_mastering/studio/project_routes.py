"""Routes of the project: what is saved, who else has saved, and the file to keep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from neural_mastering.errors import InputError
from neural_mastering.studio.documents import ProjectDocument
from neural_mastering.studio.job_routes import attachment
from neural_mastering.studio.project import RevisionError
from neural_mastering.studio.song_routes import workspace

router = APIRouter(prefix="/project")

_HEARTBEAT_S = 15.0


@router.get("")
async def project(request: Request) -> Response:
    """The project; its ETag is the revision."""
    return _document(workspace(request).project.document)


@router.put("")
async def save(request: Request, body: ProjectDocument) -> Response:
    """Save what has changed; with If-Match, only over that revision, else 409 with the newer project."""
    kept = workspace(request).project
    asked = request.headers.get("if-match")
    if asked is not None and not asked.strip('"').isdigit():
        raise InputError(f"If-Match {asked[:40]}: expected the revision of the project")
    try:
        return _document(kept.save(body, None if asked is None else int(asked.strip('"'))))
    except RevisionError:
        return _document(kept.document, status=409)


@router.get("/events")
async def events(request: Request) -> StreamingResponse:
    """The revision, now and whenever somebody saves, as server-sent events."""
    space = workspace(request)
    kept = space.project

    async def revisions() -> AsyncGenerator[str, None]:
        while True:
            changed = kept.changed
            yield f"data: {kept.document.revision}\n\n"
            while True:
                try:
                    await asyncio.wait_for(changed.wait(), _HEARTBEAT_S)
                    break
                except TimeoutError:
                    yield ": still here\n\n"

    return space.streams.response(revisions())


@router.get("/file")
async def download(request: Request) -> Response:
    """The project as a .nmstudio file."""
    text = workspace(request).project.document.model_dump_json(indent=1) + "\n"
    return attachment("project.nmstudio", text.encode(), "application/json")


@router.post("/open")
async def open_project(request: Request, body: ProjectDocument) -> dict[str, Any]:
    """Take over the states of a project file for the songs that are here; gives those that are missing."""
    kept = workspace(request).project
    here = {each.id for each in kept.document.songs}
    document = kept.save(body, None)
    missing = [{"id": s.id, "name": s.name, "role": s.role} for s in body.songs if s.id not in here]
    return {"revision": document.revision, "missing": missing}


def _document(document: ProjectDocument, status: int = 200) -> JSONResponse:
    return JSONResponse(
        document.model_dump(mode="json"), status_code=status, headers={"ETag": f'"{document.revision}"'}
    )
