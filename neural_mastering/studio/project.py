"""A project on disk: its document, saved at every change, and one folder for each song."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from neural_mastering.atomic import remove_drafts, write_text
from neural_mastering.audio_io.file_format import FORMAT_OF_SUFFIX
from neural_mastering.audio_io.reader import BY_FFMPEG
from neural_mastering.errors import InputError
from neural_mastering.studio.documents import LARGEST_BYTES, ProjectDocument, Role, SongSession
from neural_mastering.studio.validation import plain_error

DOCUMENT = "project.json"
MOST_SONGS = 100

_SUFFIXES = (*FORMAT_OF_SUFFIX, *BY_FFMPEG, ".oga", ".mp2", ".w64", ".rf64", ".caf", ".au")
_LONGEST_NAME_BYTES = 180


class RevisionError(Exception):
    """Somebody else has saved in the meantime."""


class Project:
    """A folder with a document and songs.

    Args:
        folder: made where it is missing; held by one server at a time.

    Attributes:
        folder: as given.
        document: what is saved.
        work: folder for what doesn't outlive the server.

    Raises:
        InputError: another server holds the folder, or its document can't be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder / "work"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(folder / "lock")
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir()
        except OSError as error:
            raise InputError(f"the project folder {folder} can't be used ({error.strerror})") from error
        remove_drafts(folder)
        self.document = (
            read_document(folder / DOCUMENT) if (folder / DOCUMENT).exists() else ProjectDocument()
        )
        self.changed = asyncio.Event()

    def close(self) -> None:
        """Let another server have the folder."""
        self._lock.close()
        shutil.rmtree(self.work, ignore_errors=True)

    def song(self, song: str) -> SongSession | None:
        """A song by its id."""
        return next((each for each in self.document.songs if each.id == song), None)

    def folder_of(self, song: str) -> Path:
        """Where a song's files are."""
        return self.folder / "songs" / song

    def source_of(self, song: SongSession) -> Path:
        """The audio file as it came."""
        return Path(song.path) if song.path is not None else self.folder_of(song.id) / "source" / song.name

    def add(self, name: str, sha256: str, role: Role, path: Path | None = None) -> SongSession:
        """A song that has arrived; one that is there already stays as it is.

        A file that was named before and has other content now, such as a mix exported again, keeps its place and
        what was decided for it.

        Raises:
            InputError: the project is full.
        """
        known = self.song(sha256[:16])
        if known is not None:
            return known
        if path is not None and (before := self._named_before(path)) is not None:
            return self._exchanged(before, sha256)
        self.check_room()
        song = SongSession(
            id=sha256[:16], name=name, sha256=sha256, role=role, path=None if path is None else str(path)
        )
        songs = [*self.document.songs, song]
        order = [*self.document.order, *([song.id] if role == "song" else [])]
        self._save(self.document.model_copy(update={"songs": songs, "order": order}))
        return song

    def _named_before(self, path: Path) -> SongSession | None:
        return next((each for each in self.document.songs if each.path == str(path)), None)

    def _exchanged(self, before: SongSession, sha256: str) -> SongSession:
        """The same song with other content."""
        song = before.model_copy(update={"id": sha256[:16], "sha256": sha256})
        songs = [song if each is before else each for each in self.document.songs]
        order = [song.id if each == before.id else each for each in self.document.order]
        self._save(self.document.model_copy(update={"songs": songs, "order": order}))
        shutil.rmtree(self.folder_of(before.id), ignore_errors=True)
        return song

    def check_room(self) -> None:
        """Whether there is room for one more song.

        Raises:
            InputError: the project is full.
        """
        if len(self.document.songs) >= MOST_SONGS:
            raise InputError(f"a project holds up to {MOST_SONGS} songs: remove some first")

    def remove(self, song: str) -> None:
        """Forget a song and delete its folder; a file that was only named stays where it is."""
        songs = [each for each in self.document.songs if each.id != song]
        order = [each for each in self.document.order if each != song]
        self._save(self.document.model_copy(update={"songs": songs, "order": order}))
        shutil.rmtree(self.folder_of(song), ignore_errors=True)

    def reorder(self, order: Iterable[str]) -> None:
        """The order of the album.

        Raises:
            InputError: not exactly the songs of the project.
        """
        order = list(order)
        if sorted(order) != sorted(each.id for each in self.document.songs if each.role == "song"):
            raise InputError("the order must name every song of the project once, and no reference")
        self._save(self.document.model_copy(update={"order": order}))

    def save(self, given: ProjectDocument, revision: int | None) -> ProjectDocument:
        """Take over what a page has changed: settings, controls, snapshots, history, album, view and order.

        Which songs there are, their files and names are the server's to say.

        Raises:
            RevisionError: `revision` is not the newest.
        """
        if revision is not None and revision != self.document.revision:
            raise RevisionError
        states = {each.id: each for each in given.songs}
        songs = [
            each.model_copy(
                update={
                    name: getattr(states[each.id], name)
                    for name in ("settings", "controls", "snapshots", "undo")
                }
            )
            if each.id in states
            else each
            for each in self.document.songs
        ]
        own = [each.id for each in songs if each.role == "song"]
        order = [each for each in dict.fromkeys(given.order) if each in own]
        order += [each for each in own if each not in order]
        changed = {"songs": songs, "order": order, "album": given.album, "view": given.view}
        self._save(self.document.model_copy(update=changed))
        return self.document

    def _save(self, document: ProjectDocument) -> None:
        document = document.model_copy(update={"revision": self.document.revision + 1})
        write_text(self.folder / DOCUMENT, document.model_dump_json(indent=1) + "\n")
        self.document = document
        self.changed.set()
        self.changed = asyncio.Event()


def read_document(path: Path) -> ProjectDocument:
    """A project file.

    Raises:
        InputError: no such file, or not a project of this version.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(
                f"{path} is larger than {LARGEST_BYTES >> 20} MB: expected a project of nm-studio"
            )
        return ProjectDocument.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"{path} can't be read ({error.strerror}): expected a project of nm-studio"
        ) from error
    except ValidationError as error:
        raise InputError(f"{path} is no project of nm-studio: {plain_error(error.errors())}") from error


def safe_name(name: str) -> str:
    """A file name without folders, control characters or a leading dot, of a kind that is read as audio.

    Raises:
        InputError: an ending that isn't that of an audio file.
    """
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    base = "".join(c for c in base if c.isprintable() and c not in '<>:"|?*').strip(" .")
    stem, _, suffix = base.rpartition(".")
    if not is_audio_name(base):
        raise InputError(
            f"{base[:80] or 'a file without a name'}: expected an audio file such as WAV, FLAC or MP3"
        )
    return f"{_cut(stem.strip(' .') or 'song')}.{suffix.lower()}"


def is_audio_name(name: str) -> bool:
    """Whether a name has the ending of a file that is read as audio."""
    return Path(name).suffix.lower() in _SUFFIXES


def safe_stem(name: str) -> str:
    """A name for a master, without an ending of its own, by the same rules."""
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    base = "".join(c for c in base if c.isprintable() and c not in '<>:"|?*').strip(" .-")
    return _cut(base) or "master"


def content_hash(path: Path) -> str:
    """SHA-256 of a file, read in pieces.

    Raises:
        InputError: a file that can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} can't be opened ({error.strerror}): give an audio file") from error


def _cut(text: str) -> str:
    return text.encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore")


def _locked(path: Path) -> IO[str]:
    """Hold a file until it is closed or the process ends, however it ends."""
    file = path.open("w")
    try:
        with contextlib.suppress(ImportError):
            import fcntl  # not on Windows

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise InputError(
            f"another nm-studio works on {path.parent}: close it, or name another --project"
        ) from None
    return file
