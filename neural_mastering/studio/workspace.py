"""A project and the workers that serve it: what the routes ask for, without HTTP."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neural_mastering.atomic import commit_file
from neural_mastering.errors import InputError
from neural_mastering.rendering.settings import Settings
from neural_mastering.studio.documents import Role, SongSession
from neural_mastering.studio.event_streams import EventStreams
from neural_mastering.studio.jobs import JobQueue, StudioJob
from neural_mastering.studio.named_files import NamedFiles
from neural_mastering.studio.pcm import PcmCache
from neural_mastering.studio.project import Project, content_hash, safe_name
from neural_mastering.studio.shared_folder import SharedFolder
from neural_mastering.studio.song_files import DECODED, SUMMARY, WAVEFORM
from neural_mastering.studio.uploads import Limits, receiving

_RENDERS_KEPT = 20
"""Older ones can't be downloaded any more."""


class MissingError(Exception):
    """There is no such song, job or file."""


class Workspace:
    """Songs, decisions and renders of one project.

    Args:
        project: where songs and states are kept.
        limits: for uploads.
        shared: files of this computer that the page may name.

    Attributes:
        project, limits, shared: as given.
        named: what the names in settings mean.
        jobs: what the workers have to do.
        meters: what the last preview of each song read.
        streams: events on their way to open pages.
    """

    def __init__(
        self, project: Project, limits: Limits | None = None, shared: SharedFolder | None = None
    ) -> None:
        self.project, self.limits = project, limits or Limits()
        self.shared = shared or SharedFolder(None)
        self.named = NamedFiles(project, self.shared)
        self.jobs = JobQueue()
        self.streams = EventStreams()
        self.meters: dict[str, Any] = {}
        self._measuring: dict[str, StudioJob] = {}

    async def start(self) -> None:
        """Start the workers and measure what has not been measured."""
        await self.jobs.start()
        for song in self.project.document.songs:
            self.measure(song)

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
        path = path.resolve()
        try:
            str(path).encode()
        except UnicodeEncodeError:
            raise InputError(f"{path.name!a}: the name isn't valid UTF-8: rename the file") from None
        return self.project.add(path.name, content_hash(path), role, path)

    def add_shared(self, name: str, role: Role) -> tuple[SongSession, StudioJob | None]:
        """A song of the shared folder.

        Raises:
            MissingError: none of that name.
            InputError: it can't be read, or the project is full.
        """
        path = self.shared.find(name, "audio")
        if path is None:
            raise MissingError(f"the shared folder has no song {name[:80]}")
        song = self.add_file(path, role)
        return song, self.measure(song)

    async def add_upload(
        self, name: str, role: Role, declared_bytes: int | None, chunks: AsyncIterator[bytes]
    ) -> tuple[SongSession, StudioJob | None]:
        """Keep an upload under its content's hash; gives the song and the job that measures it, if one is needed.

        Raises:
            InputError: a name that isn't that of an audio file, or nothing in it.
            TooLargeError: more than the limit, or than the disk holds.
        """
        name = safe_name(name)
        with receiving(self.project.work, self.limits) as upload:
            sha256 = await upload.receive(name, declared_bytes, chunks)
            known = self.project.song(sha256[:16])
            if known is not None:
                return known, self.measure(known)
            self.project.check_room()
            folder = self.project.folder_of(sha256[:16]) / "source"
            shutil.rmtree(folder.parent, ignore_errors=True)
            folder.mkdir(parents=True)
            commit_file(upload.path, folder / name)
        song = self.project.add(name, sha256, role)
        return song, self.measure(song)

    def measure(self, song: SongSession) -> StudioJob | None:
        """The job that measures a song; None where it is measured."""
        folder = self.project.folder_of(song.id)
        if (folder / SUMMARY).is_file():
            return None
        running = self._measuring.get(song.id)
        if running is not None and not running.is_over:
            return running
        folder.mkdir(parents=True, exist_ok=True)
        arguments = {"source": str(self.project.source_of(song)), "folder": str(folder)}
        self._measuring[song.id] = self.jobs.submit("measure", arguments)
        return self._measuring[song.id]

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
        if not source.is_file():
            raise InputError(f"{source} is not there any more: put it back, or remove the song")
        if song.path is not None and source.stat().st_mtime_ns != self.summary(song)["modified_ns"]:
            raise InputError(f"{source} has changed since it was measured: start nm-studio again to use it")
        return decoded if decoded.is_file() else source

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
        """Have a song compared with a style, or with songs of the same content (`auto`)."""
        own = Settings(style=style)
        arguments = {**self._arguments(song, own), "style": self.named.resolved(own).style}
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

    def _make_room(self) -> None:
        """Delete the files of old renders, so that a long day doesn't fill the disk."""
        over = [job for job in self.jobs.of_lane("render") if job.is_over]
        for job in over[:-_RENDERS_KEPT]:
            shutil.rmtree(job.arguments["out"], ignore_errors=True)

    def render(self, song: SongSession, settings: Settings, request: Mapping[str, Any]) -> StudioJob:
        """Have a master made; `request` has controls, name, export and report."""
        self._make_room()
        arguments = {**self._arguments(song, settings), **request, "out": str(self.new_folder())}
        return self.jobs.submit("render", arguments, lane="render")

    def render_album(
        self, songs: Sequence[Mapping[str, Any]], gap_s: float | None = None, info: str = ""
    ) -> StudioJob:
        """Have an album made; each entry has song, settings, and what `render` takes."""
        tracks = [
            {**self._arguments(entry["song"], entry["settings"]), **entry["request"]} for entry in songs
        ]
        asked = {"songs": tracks, "gap_s": gap_s, "info": info, "out": str(self.new_folder())}
        return self.jobs.submit("album", asked, lane="render")

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
        path = Path(job.arguments["out"]) / name
        if not path.is_file():
            raise MissingError(f"{name} was made too long ago: render it again")
        return path

    def _arguments(self, song: SongSession, settings: Settings) -> dict[str, Any]:
        self.named.check(settings)
        self.audio(song)
        return {
            "source": str(self.project.source_of(song)),
            "folder": str(self.project.folder_of(song.id)),
            "settings": asdict(self.named.resolved(settings)),
            "references": [[str(path), weight] for path, weight in self.named.references(settings)],
        }
