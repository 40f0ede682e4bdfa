"""The HTTP application of nm-studio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic_core import PydanticSerializationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

import neural_mastering
from neural_mastering.errors import InputError
from neural_mastering.reporting.page import LISTENING
from neural_mastering.studio import job_routes, project_routes, song_routes
from neural_mastering.studio.catalogue import catalogue
from neural_mastering.studio.docs_page import STYLE, docs_page
from neural_mastering.studio.security import Access, Guard
from neural_mastering.studio.uploads import StalledError, TooLargeError
from neural_mastering.studio.validation import plain_error
from neural_mastering.studio.workspace import MissingError, Workspace

STATIC = Path(str(files("neural_mastering.studio").joinpath("static")))

LISTENING_SCRIPT = Path(str(files("neural_mastering.reporting").joinpath(LISTENING)))
"""The blind tests, which the reports have, too."""


def create_app(workspace: Workspace, access: Access) -> FastAPI:
    """The application around a workspace; it starts and stops its workers."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await workspace.start()
        warming = asyncio.get_running_loop().run_in_executor(None, catalogue)
        yield
        await warming
        await workspace.stop()

    app = FastAPI(
        title="nm-studio",
        version=neural_mastering.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.workspace = workspace
    app.add_middleware(Guard, access=access)
    for kind, status in _STATUS.items():
        app.add_exception_handler(kind, _answer(status))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(UnicodeEncodeError, _not_unicode)
    app.add_exception_handler(PydanticSerializationError, _not_unicode)
    app.add_exception_handler(Exception, _fault)

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/catalogue")
    def offered() -> dict[str, Any]:
        """What a page may offer: styles, targets, words, formats, stages with their ranges, defaults."""
        return catalogue()

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(app.openapi()))

    @app.get("/docs.css", include_in_schema=False)
    async def docs_style() -> Response:
        return Response(STYLE, media_type="text/css")

    @app.get("/static/engine/listening.js", include_in_schema=False)
    async def listening() -> FileResponse:
        return FileResponse(LISTENING_SCRIPT, media_type="text/javascript")

    for module in (song_routes, job_routes, project_routes):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC, check_dir=False), name="static")
    return app


_STATUS: dict[type[Exception], int] = {
    InputError: 422,
    song_routes.JobError: 422,
    MissingError: 404,
    TooLargeError: 413,
    StalledError: 408,
}


def _answer(status: int) -> Any:
    async def answer(_: Request, error: Exception) -> JSONResponse:
        return _error(str(error), status)

    return answer


def _error(text: str, status: int) -> JSONResponse:
    """One sentence; what isn't Unicode in it came from the request."""
    return JSONResponse({"error": text.encode("utf-8", "replace").decode()}, status_code=status)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _error(plain_error(error.errors()), 422)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": str(error.detail)}, status_code=error.status_code, headers=error.headers)


async def _gone(_: Request, __: Exception) -> Response:
    """Nobody is there to read it."""
    return Response(status_code=400)


async def _not_unicode(_: Request, __: Exception) -> Response:
    return _error("the text isn't valid Unicode: it holds half of a surrogate pair", 422)


async def _fault(_: Request, error: Exception) -> JSONResponse:
    """A fault of ours, whose details go to the log only."""
    return _error(f"an error of nm-studio itself ({type(error).__name__})", 500)
