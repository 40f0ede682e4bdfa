"""Files here and elsewhere: a path, or a URL that fsspec understands (s3://, gs://, https://, memory://)."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neural_mastering.atomic import commit_file, replacing
from neural_mastering.errors import InputError

_URL = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CHUNK_BYTES = 1 << 20
_APPEARS_WHOLE = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az")
"""Object stores: an upload has no name before it is complete, so it needs no other name on its way."""


class StorageError(InputError):
    """A file elsewhere could not be read or written; another try may succeed."""


class DownloadSizeError(InputError):
    """A download that is larger than allowed."""


@dataclass(frozen=True)
class LocalCopy:
    """A source as a file of this machine.

    Attributes:
        path: of the file.
        content: BLAKE2b of its bytes, 128 bits in hexadecimal.
    """

    path: Path
    content: str


def is_url(location: str) -> bool:
    """Whether fsspec opens it; a path otherwise."""
    return bool(_URL.match(location))


def joined(folder: str, name: str) -> str:
    """A place in a folder, which may be a URL."""
    return f"{folder.rstrip('/')}/{name}" if is_url(folder) else os.path.join(folder, name)  # noqa: PTH118 - a URL or a path


def stamp_of(location: str) -> str | None:
    """What changes when a file changes: size and time, or size and ETag. None where there is no such file.

    Raises:
        StorageError: its store can't be asked.
    """
    if not is_url(location):
        return _local_stamp(location)
    with _explained(location):
        system, name = _system(location)
        try:
            return _remote_stamp(system.info(name))
        except FileNotFoundError:
            return None


def stamps_of(locations: Iterable[str]) -> dict[str, str | None]:
    """`stamp_of` many; a folder elsewhere is listed once, whatever it holds."""
    found: dict[str, str | None] = {}
    folders: dict[str, list[str]] = {}
    for location in locations:
        if is_url(location):
            folders.setdefault(location.rpartition("/")[0], []).append(location)
        else:
            found[location] = _local_stamp(location)
    for folder, members in folders.items():
        found |= {m: stamp_of(m) for m in members} if len(members) < 3 else _listed(folder, members)
    return found


def _listed(folder: str, members: list[str]) -> dict[str, str | None]:
    with _explained(folder):
        system, name = _system(folder)
        try:
            infos = {info["name"].rpartition("/")[2]: info for info in system.ls(name, detail=True)}
        except (FileNotFoundError, NotImplementedError):
            infos = {}
    if not infos:  # such as a web server that lists nothing
        return {m: stamp_of(m) for m in members}
    own = {m: infos.get(m.rpartition("/")[2]) for m in members}
    return {m: None if info is None else _remote_stamp(info) for m, info in own.items()}


def fetch(location: str, folder: Path, most_bytes: int) -> LocalCopy:
    """A file of this machine with the content of a source; what lies elsewhere is streamed into `folder`.

    Args:
        location: path or URL.
        folder: for the download.
        most_bytes: a larger download is refused.

    Raises:
        DownloadSizeError: it is larger.
        StorageError: it can't be read.
    """
    if not is_url(location):
        return LocalCopy(Path(location), digest_of(Path(location)))
    path = folder / _plain_name(location)
    digest = hashlib.blake2b(digest_size=16)
    taken = 0
    with _explained(location):
        system, name = _system(location)
        size = system.info(name).get("size")
        _check_size(location, size or 0, most_bytes)
        with system.open(name, "rb") as source, replacing(path) as draft, draft.open("wb") as out:
            while chunk := source.read(_CHUNK_BYTES):
                taken += len(chunk)
                _check_size(location, taken, most_bytes)
                digest.update(chunk)
                out.write(chunk)
        if size is not None and taken != size:
            raise StorageError(f"{location}: {taken} of {size} bytes arrived; try again")
    return LocalCopy(path, digest.hexdigest())


def digest_of(path: Path) -> str:
    """BLAKE2b of a file's bytes, 128 bits in hexadecimal."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def deliver(file: Path, folder: str, name: str) -> None:
    """Move a finished file to a name in a folder here or elsewhere; it appears there whole or not at all.

    Raises:
        StorageError: it can't be uploaded.
        InputError: it can't be written here.
    """
    if not is_url(folder):
        _move(file, Path(folder) / name)
        return
    location = joined(folder, name)
    with _explained(location):
        system, target = _system(location)
        protocol = location.partition("://")[0].lower()
        if protocol in _APPEARS_WHOLE:
            system.put_file(str(file), target)  # one request, or parts that are completed at the end
        else:
            system.makedirs(target.rpartition("/")[0], exist_ok=True)
            draft = f"{target}.part"
            system.put_file(str(file), draft)
            system.mv(draft, target)
    file.unlink()


def _move(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.stat().st_dev == target.parent.stat().st_dev:
        commit_file(file, target)
        return
    with replacing(target) as draft, file.open("rb") as source, draft.open("wb") as out:
        while chunk := source.read(_CHUNK_BYTES):
            out.write(chunk)
    file.unlink()


def _local_stamp(path: str) -> str | None:
    try:
        stat = os.stat(path)  # noqa: PTH116 - 100,000 of these are noticed
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(f"{path} can't be looked at: {error.strerror}") from error
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def _remote_stamp(info: dict[str, Any]) -> str:
    changed = next(
        (info[key] for key in ("ETag", "etag", "mtime", "LastModified", "created") if info.get(key)), ""
    )
    return f"{info.get('size')}:{changed}"


def _check_size(location: str, size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise DownloadSizeError(
            f"{location} is larger than {most_bytes / 1e9:.3g} GB: raise --max-download-gb to allow it"
        )


def _plain_name(location: str) -> str:
    """A harmless name with the ending of the source, which says what kind of file it is."""
    ending = Path(location.partition("?")[0]).suffix.lower()
    return "source" + (ending if re.fullmatch(r"\.[a-z0-9]{1,8}", ending) else "")


def _system(location: str) -> tuple[Any, str]:
    """The file system of a URL and the name in it. Credentials come from the environment alone."""
    import fsspec  # an extra; loads in 0.1 s

    rest = location.partition("://")[2]
    if "@" in rest.partition("/")[0]:
        raise InputError(
            f"{location.partition('://')[0]}://…: a URL holds no password; set credentials in the environment"
        )
    system, name = fsspec.core.url_to_fs(location)
    system.invalidate_cache()  # stores are changed by others, and a listing of a minute ago would hide it
    return system, name


@contextmanager
def _explained(location: str) -> Iterator[None]:
    """What stores and their libraries raise, as one line."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise StorageError(f"{location} does not exist, or may not be seen") from error
    except (ImportError, ValueError) as error:  # a protocol without its library, or none at all
        protocol = location.partition("://")[0]
        raise InputError(
            f"{protocol}:// can't be opened: {error}. For s3:// install pip install 'neural-mastering[s3]'"
        ) from error
    except OSError as error:
        raise StorageError(f"{location}: {error.strerror or error}") from error
    except Exception as error:
        # libraries of stores raise what they like: botocore and aiohttp share no base class
        raise StorageError(f"{location}: {type(error).__name__}: {error}") from error
