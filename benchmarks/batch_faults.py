"""What a benchmark or a trial lets happen to a song: its file says it in one word."""

import errno
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neural_mastering.batch.storage import StorageError
from neural_mastering.batch.work import Work
from neural_mastering.errors import InputError

FAULTS: dict[str, str | None] = {
    "crash": "died",
    "crash_once": None,
    "exit": "died",
    "hang": "timeout",
    "eat": "memory",
    "refuse": "input",
    "bug": "internal",
    "full": "disk_full",
    "storage_once": "storage",
    "grow": "changed",
}
"""What can happen, and the kind of error in the song's row after the first run; None where a second try in the same
run succeeds."""


def nothing(work: Work, sources: Sequence[Path], scratch: Path) -> list[dict[str, Any]]:
    """As little as a song can take."""
    return [{"length": float(source.stat().st_size)} for source in sources]


def behave(work: Work, sources: Sequence[Path], scratch: Path) -> list[dict[str, Any]]:
    """Do what the file of the song says."""
    log = os.environ.get("NM_BATCH_LOG")
    found = []
    for song, source in zip(work.songs, sources, strict=True):
        if log:
            with Path(log).open("a") as file:
                file.write(f"{song.id}\n")
        word = source.read_text().split()[0]
        found.append({"word": word, "length": len(song.path)})
        _act(word, song.path, scratch)
    return found


def _act(word: str, path: str, scratch: Path) -> None:
    (scratch / "half").write_text("half done")
    once = word.endswith("_once")
    if once and not _first_time(path):
        return
    word = word.removesuffix("_once")
    if word == "hang":
        time.sleep(3600)
    if word == "slow":
        time.sleep(0.5)
    if word == "eat":
        hoard = np.ones(140_000_000)  # 1.1 GB
        time.sleep(3600)
        hoard.sum()
    if word == "crash":
        os.kill(os.getpid(), 9)
    if word == "exit":
        os._exit(3)
    if word == "refuse":
        raise InputError("not like this")
    if word == "bug":
        raise ZeroDivisionError("a bug")
    if word == "full":
        raise InputError("can't be written") from OSError(errno.ENOSPC, "no space")
    if word == "storage":
        raise StorageError("the store is away")
    if word == "grow":
        Path(path).write_text("grow " + "x" * 100)


def _first_time(path: str) -> bool:
    mark = Path(f"{path}.tried")
    if mark.exists():
        return False
    mark.touch()
    return True
