"""Writing files whole or not at all: a draft in the same folder, flushed to the disk, then renamed.

A reader sees the old file or the new one, never half of either, whatever ends the process. Every writer of the
package goes through here:

    write_text(path, text), write_bytes(path, data)      small files
    with replacing(path) as draft: ...                   anything that writes to a path
    Draft(path)                                          a draft that outlives a block, or raises plain OSErrors

A symbolic link at `path` is replaced by the new file; what it points to is left alone. The new file keeps the mode
of the file that it replaces; otherwise the mode comes from the umask.
"""

import contextlib
import errno
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from neural_mastering.errors import InputError, UnwritableError

_LONGEST_NAME_BYTES = 255
_FULL_BELOW_BYTES = 1 << 20


class Draft:
    """A hidden file (or folder) beside `path` that takes its place on `commit`.

    As a context manager it commits when the block ends well, and discards on any exception, KeyboardInterrupt
    included. The draft itself is made by whoever writes to `file`, so the umask holds.

    Args:
        path: the final name; its folder must exist.
        overwrite: replace what has that name; otherwise `commit` refuses.

    Attributes:
        path: the final name.
        file: where to write. The name is unique, so processes and threads may write one `path` at once: the last
            one to finish wins.

    Raises:
        IsADirectoryError, FileExistsError: `path` is a folder, or a device, a pipe or a socket.
    """

    def __init__(self, path: str | Path, overwrite: bool = True) -> None:
        self.path, self._overwrite = Path(path), overwrite
        _check_kind(self.path)
        ending = f".{os.getpid()}-{uuid.uuid4().hex[:8]}.part"
        self.file = self.path.with_name(f".{_shortened(self.path.name, len(ending) + 1)}{ending}")

    def commit(self) -> None:
        """Flush the draft to the disk and give it its name.

        Raises:
            OSError: it can't be renamed; the draft is still there.
            FileExistsError: `path` exists and `overwrite` is off.
        """
        commit_file(self.file, self.path, self._overwrite)

    def discard(self) -> None:
        """Remove the draft; nothing happens where it is gone already."""
        if self.file.is_dir() and not self.file.is_symlink():
            shutil.rmtree(self.file, ignore_errors=True)
        else:
            self.file.unlink(missing_ok=True)

    def __enter__(self) -> Path:
        return self.file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.commit()
        finally:
            self.discard()


@contextlib.contextmanager
def replacing(
    path: str | Path, *, overwrite: bool = True, error: type[InputError] = InputError
) -> Iterator[Path]:
    """Yield a draft to write to; it becomes `path` when the block ends well. The folder is made where missing.

    Args:
        path: the final name.
        overwrite: replace what has that name.
        error: the class to raise.

    Raises:
        InputError: `path` can't be written; the message gives the reason, such as a full disk. The old file is
            still there.
    """
    path = Path(path)
    draft: Draft | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Draft(path, overwrite)
        yield draft.file
        draft.commit()
    except OSError as caught:
        if draft is not None and not _concerns(caught, draft):
            raise
        raise error(f"{path} can't be written: {reason(path, caught)}") from caught
    finally:
        if draft is not None:
            draft.discard()


def write_text(
    path: str | Path, text: str, *, errors: str = "strict", error: type[InputError] = InputError
) -> None:
    """Write UTF-8 text with the line ends that it has.

    Args:
        path: the final name.
        text: what the file will hold.
        errors: as in `str.encode`; "surrogateescape" keeps file names that are not UTF-8.
        error: the class to raise.

    Raises:
        InputError: as in `replacing`.
    """
    write_bytes(path, text.encode("utf-8", errors), error=error)


def write_bytes(path: str | Path, data: bytes, *, error: type[InputError] = InputError) -> None:
    """Write bytes.

    Raises:
        InputError: as in `replacing`.
    """
    with replacing(path, error=error) as draft:
        draft.write_bytes(data)


def commit_file(draft: Path, path: Path, overwrite: bool = True) -> None:
    """Flush a finished file or folder to the disk and rename it to `path` on the same file system.

    Raises:
        OSError: it can't be renamed.
        FileExistsError: `path` exists and `overwrite` is off.
    """
    for file in (f for f in draft.rglob("*") if f.is_file()) if draft.is_dir() else (draft,):
        with file.open("rb+") as handle:
            os.fsync(handle.fileno())
    with contextlib.suppress(OSError):  # somebody else's file: the umask's mode will do
        old = path.lstat()
        if stat.S_ISREG(old.st_mode) and draft.is_file():
            draft.chmod(stat.S_IMODE(old.st_mode))
    if overwrite:
        draft.replace(path)
    else:
        _rename_without_replacing(draft, path)


def remove_drafts(folder: Path) -> None:
    """Remove what killed processes have left half written in a folder that nobody else writes to now."""
    for file in folder.glob(".*.part"):
        if file.is_dir() and not file.is_symlink():
            shutil.rmtree(file, ignore_errors=True)
        else:
            file.unlink(missing_ok=True)


def reason(path: Path, error: BaseException | None = None) -> str:
    """Why `path` could not be written, in words; look before the draft is removed, which may free the disk."""
    folder = path.parent
    if isinstance(error, IsADirectoryError):
        return "it is a folder; give a file name"
    if folder.exists() and not folder.is_dir():
        return f"{folder} is not a folder"
    if folder.exists() and not os.access(folder, os.W_OK):
        return f"no permission to write in {folder}"
    if getattr(error, "errno", None) == errno.EDQUOT:
        return f"your quota in {folder} is used up"
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(folder).free
        if free < _FULL_BELOW_BYTES or getattr(error, "errno", None) == errno.ENOSPC:
            return f"the disk is full ({free // 1024} KiB free in {folder})"
    text = getattr(error, "strerror", None) or getattr(error, "error_string", None) or str(error or "")
    return text or "the file came out short (disk full, quota, or no permission?)"


def unwritable(path: Path, error: BaseException | None = None) -> UnwritableError:
    """The error that says why `path` could not be written; look before the draft is removed."""
    is_full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    with contextlib.suppress(OSError):
        is_full = is_full or shutil.disk_usage(path.parent).free < _FULL_BELOW_BYTES
    return UnwritableError(f"{path} can't be written: {reason(path, error)}", is_full)


def _check_kind(path: Path) -> None:
    """Renaming over a device such as /dev/null would replace it."""
    if path.is_dir():
        if not any(path.iterdir()) and not path.is_symlink():
            return  # an empty folder may make way for a folder
        raise IsADirectoryError(errno.EISDIR, "it is a folder; give a file name", str(path))
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "it is a device, a pipe or a socket; give a file name", str(path))


def _shortened(name: str, ending_bytes: int) -> str:
    """As much of a name as fits into a draft's, cut between characters."""
    encoded = os.fsencode(name)
    most = _LONGEST_NAME_BYTES - ending_bytes
    if len(encoded) <= most:
        return name
    while most and encoded[most] & 0xC0 == 0x80:  # inside a character of UTF-8
        most -= 1
    return os.fsdecode(encoded[:most])


def _rename_without_replacing(draft: Path, path: Path) -> None:
    """Rename, unless somebody has made a file of that name in the meantime."""
    exists = FileExistsError(errno.EEXIST, "it has appeared in the meantime", str(path))
    try:
        os.link(draft, path)
    except FileExistsError:
        raise exists from None
    except OSError:  # a file system without links
        if path.exists():
            raise exists from None
        draft.replace(path)
        return
    draft.unlink()


def _concerns(error: OSError, draft: Draft) -> bool:
    """Whether an error is about this output; an input that can't be read while it is written is not."""
    if not isinstance(error.filename, str | bytes):
        return True
    named = Path(os.fsdecode(error.filename))
    return draft.file in (named, *named.parents) or named in (draft.path, draft.path.parent)
