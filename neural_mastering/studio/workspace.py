"""A project and the workers that serve it: what the routes ask for, without HTTP."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neural_mastering.errors import InputError
from neural_mastering.rendering.options import parse_references
from neural_mastering.rendering.settings import Settings
from neural_mastering.studio.catalogue import model_names, style_names
from neural_mastering.studio.documents import Role, SongSession
from neural_mastering.studio.jobs import JobQueue, StudioJob
from neural_mastering.studio.measurement import DECODED, SUMMARY, WAVEFORM
from neural_mastering.studio.pcm import PcmCache
from neural_mastering.studio.project import Project, content_hash, safe_name

GIGABYTE = 1 << 30


@dataclass(frozen=True)
class Limits:
    """What one client may ask of the server.

    Attributes:
        upload_bytes: of one file.
        stall_s: how long an upload may send nothing.
        free_bytes: what an upload must leave on the disk.
    """

    upload_bytes: int = 4 * GIGABYTE
    stall_s: float = 30.0
    free_bytes: int = GIGABYTE // 2


class MissingError(Exception):
    """There is no such song, job or file."""


class Workspace:
    """Songs, decisions and renders of one project.

    Args:
        project: where songs and states are kept.
        limits: for uploads.

    Attributes:
        project, limits: as given.
        jobs: what the workers have to do.
        meters: what the last preview of each song read.
    """

    def __init__(self, project: Project, limits: Limits | None = None) -> None:
        self.project, self.limits = project, limits or Limits()
        self.jobs = JobQueue()
        self.meters: dict[str, Any] = {}
        self._measuring: dict[str, StudioJob] = {}

    async def start(self) -> None:
        """Start the workers and measure what has not been measured."""
        await self.jobs.start()
        for song in self.project.document.songs:
            if not (self.project.folder_of(song.id) / SUMMARY).is_file():
                self._measure(song)

    async def stop(self) -> None:
        """End the workers."""
        await self.jobs.stop()
        self.project.close()

    def song(self, song: str) -> SongSession:
        """A song by its id.

        Raises:
            MissingError: none of that id.
        """
        found = self.project.song(song)
        if found is None:
            raise MissingError(f"there is no song {song[:40]}")
        return found

    def add_file(self, path: Path, role: Role = "song") -> SongSession:
        """A file of this computer, named on the command line; it stays where it is.

        Raises:
            InputError: it can't be read, or isn't an audio file by its name.
        """
        safe_name(path.name)
        return self.project.add(path.name, content_hash(path), role, path.resolve())

    async def add_upload(
        self, name: str, role: Role, declared_bytes: int | None, chunks: AsyncIterator[bytes]
    ) -> tuple[SongSession, StudioJob | None]:
        """Keep an upload under its content's hash; gives the song and the job that measures it, if one is needed.

        Raises:
            InputError: a name that isn't that of an audio file, or nothing in it.
            TooLargeError: more than the limit, or than the disk holds.
        """
        name = safe_name(name)
        self._check_size(declared_bytes or 0)
        draft = self.project.work / f"upload-{id(chunks):x}"
        try:
            digest = hashlib.sha256()
            size = 0
            with draft.open("xb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    self._check_size(size, written=size)
                    digest.update(chunk)
                    file.write(chunk)
            if not size:
                raise InputError(f"{name} is empty (0 bytes): export it again")
            sha256 = digest.hexdigest()
            known = self.project.song(sha256[:16])
            if known is not None:
                return known, self._measuring.get(known.id)
            folder = self.project.folder_of(sha256[:16]) / "source"
            shutil.rmtree(folder.parent, ignore_errors=True)
            folder.mkdir(parents=True)
            draft.replace(folder / name)
        finally:
            draft.unlink(missing_ok=True)
        song = self.project.add(name, sha256, role)
        return song, self._measure(song)

    def remove(self, song: str) -> None:
        """Forget a song and what was made of it."""
        session = self.song(song)
        job = self._measuring.pop(song, None)
        if job is not None:
            self.jobs.cancel(job)
        self.project.remove(session.id)

    def state(self, song: SongSession) -> dict[str, Any]:
        """Where a song stands: measuring, ready or failed."""
        shown: dict[str, Any] = {"id": song.id, "name": song.name, "role": song.role}
        if (self.project.folder_of(song.id) / SUMMARY).is_file():
            return {**shown, "state": "ready"}
        job = self._measuring.get(song.id)
        if job is not None and job.state == "failed":
            return {**shown, "state": "failed", "error": job.error}
        return {**shown, "state": "measuring", "job": None if job is None else job.id}

    def details(self, song: SongSession) -> dict[str, Any]:
        """The state, and all numbers where the song is measured."""
        state = self.state(song)
        if state["state"] != "ready":
            return state
        return {**state, **self.summary(song)}

    def summary(self, song: SongSession) -> dict[str, Any]:
        """The numbers of a song.

        Raises:
            InputError: it is not measured yet.
        """
        return json.loads(self.file(song, SUMMARY).read_text(encoding="utf-8"))

    def file(self, song: SongSession, name: str) -> Path:
        """A file of a measured song's folder.

        Raises:
            InputError: it is not measured yet.
        """
        path = self.project.folder_of(song.id) / name
        if not path.is_file():
            state = self.state(song)
            raise InputError(state.get("error") or f"{song.name} is still being measured: ask again later")
        return path

    def audio(self, song: SongSession) -> Path:
        """The song as samples that can be sought in: its own file, or what was decoded from it."""
        self.file(song, WAVEFORM)
        decoded = self.project.folder_of(song.id) / DECODED
        source = self.project.source_of(song)
        if decoded.is_file():
            return decoded
        if not source.is_file():
            raise InputError(f"{source} is not there any more: add the song again")
        return source

    def pcm(self, song: SongSession, start: int, frames: int) -> bytes:
        """A stretch of samples as little-endian float32, interleaved."""
        return PcmCache(self.audio(song)).read_bytes(start, frames)

    def decide(self, song: SongSession, settings: Settings) -> StudioJob:
        """Have a song decided; an earlier question about it is dropped."""
        return self.jobs.submit("decide", self._arguments(song, settings), key=f"decide {song.id}")

    def propose(self, song: SongSession, settings: Settings) -> StudioJob:
        """Have a song decided three times, from gentle to strong."""
        return self.jobs.submit("proposals", self._arguments(song, settings), key=f"proposals {song.id}")

    def compare(self, song: SongSession, style: str) -> StudioJob:
        """Have a song compared with a style."""
        self._check_names(Settings(style=style))
        arguments = {**self._arguments(song, Settings()), "style": style}
        return self.jobs.submit("compare", arguments, key=f"compare {song.id}")

    def preview(self, song: SongSession, settings: Settings, request: Mapping[str, Any]) -> StudioJob:
        """Have a stretch rendered; an earlier preview, of whichever song, is dropped.

        Args:
            song: to hear.
            settings: of it.
            request: controls, start, frames, solo, bypass.
        """
        arguments = {
            **self._arguments(song, settings),
            **request,
            "audio": str(self.audio(song)),
            "out": str(self.new_folder() / "preview.f32"),
            "name": "preview",
        }
        return self.jobs.submit("preview", arguments, key="preview")

    def render(self, song: SongSession, settings: Settings, request: Mapping[str, Any]) -> StudioJob:
        """Have a master made; `request` has controls, name, export and report."""
        arguments = {**self._arguments(song, settings), **request, "out": str(self.new_folder())}
        return self.jobs.submit("render", arguments, lane="render")

    def render_album(self, songs: Sequence[Mapping[str, Any]]) -> StudioJob:
        """Have an album made; each entry has song, settings, and what `render` takes."""
        tracks = [
            {**self._arguments(entry["song"], entry["settings"]), **entry["request"]} for entry in songs
        ]
        return self.jobs.submit("album", {"songs": tracks, "out": str(self.new_folder())}, lane="render")

    def new_folder(self) -> Path:
        """A folder for what a job writes; it goes with the server."""
        number = 1 + max(
            (int(path.name) for path in self.project.work.iterdir() if path.name.isdigit()), default=0
        )
        folder = self.project.work / str(number)
        folder.mkdir()
        return folder

    def discard(self, job: StudioJob) -> None:
        """Delete what a job has written."""
        shutil.rmtree(Path(job.arguments["out"]).parent, ignore_errors=True)

    def result_file(self, job: StudioJob, name: str) -> Path:
        """A file of a finished job, by the name in its list.

        Raises:
            MissingError: the job has no file of that name.
        """
        result = job.result if isinstance(job.result, dict) else {}
        if name not in [each["name"] for each in result.get("files", [])]:
            raise MissingError(f"the job has no file {name[:80]}")
        return Path(job.arguments["out"]) / name

    def references(self, settings: Settings) -> tuple[tuple[Path, float], ...]:
        """The files of references, which are named by id, or as ID=WEIGHT.

        Raises:
            InputError: an id that is no song of the project.
        """
        found = []
        for value in settings.references:
            name, _, weight = value.partition("=")
            song = self.project.song(name)
            if song is None:
                raise InputError(f"there is no song {name[:40]} to use as a reference: add it first")
            path = self.project.source_of(song)
            found += parse_references([f"{path}={weight}" if weight else str(path)])
        return tuple(found)

    def check(self, settings: Settings) -> None:
        """Refuse settings that can't be used, and everything that would open a file.

        Raises:
            InputError: in words that name the command line's option.
        """
        self._check_names(settings)
        settings.options(self.references(settings))

    def _check_names(self, settings: Settings) -> None:
        for option, name, known in (
            ("style", settings.style, style_names()),
            ("model", settings.model, model_names()),
        ):
            if name is not None and name not in known:
                raise InputError(f"--{option} {name[:80]}: expected {', '.join(known)}")

    def _arguments(self, song: SongSession, settings: Settings) -> dict[str, Any]:
        self.check(settings)
        self.audio(song)
        return {
            "source": str(self.project.source_of(song)),
            "folder": str(self.project.folder_of(song.id)),
            "settings": asdict(settings),
            "references": [[str(path), weight] for path, weight in self.references(settings)],
        }

    def _measure(self, song: SongSession) -> StudioJob:
        folder = self.project.folder_of(song.id)
        folder.mkdir(parents=True, exist_ok=True)
        arguments = {"source": str(self.project.source_of(song)), "folder": str(folder)}
        self._measuring[song.id] = self.jobs.submit("measure", arguments)
        return self._measuring[song.id]

    def _check_size(self, size: int, written: int = 0) -> None:
        limits = self.limits
        if size > limits.upload_bytes:
            raise TooLargeError(
                f"the file is larger than {limits.upload_bytes / GIGABYTE:g} GB: start nm-studio with a larger "
                "--max-upload-gb, or name the file on its command line"
            )
        if size - written + limits.free_bytes > shutil.disk_usage(self.project.work).free:
            raise TooLargeError(f"the disk of {self.project.folder} is nearly full: free some space")


class TooLargeError(Exception):
    """More than this server takes."""
