"""A folder opened to the page with --folder: its files may be named, and nothing else on the disk."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from neural_mastering.errors import InputError
from neural_mastering.studio.project import is_audio_name

_MODEL_SUFFIXES = (".ckpt",)
_STYLE_SUFFIX = ".json"
_MOST_ENTRIES = 2_000


class SharedFolder:
    """The files directly in a folder; links that lead out of it are not among them.

    Args:
        path: of the folder; None shares nothing.

    Raises:
        InputError: not a folder.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None and not path.is_dir():
            raise InputError(f"--folder {path}: there is no such folder")
        self._path = None if path is None else path.resolve()

    def listing(self) -> list[dict[str, Any]]:
        """Name, size and kind (audio, style or model) of what can be used."""
        return [
            {"name": name, "bytes": path.stat().st_size, "kind": kind}
            for name, (path, kind) in self._files().items()
        ]

    def find(self, name: str, kind: str) -> Path | None:
        """The file of a listed name and kind; None where there is none."""
        path, found = self._files().get(name, (None, ""))
        return path if found == kind else None

    def _files(self) -> dict[str, tuple[Path, str]]:
        if self._path is None:
            return {}
        found: dict[str, tuple[Path, str]] = {}
        for path in sorted(self._path.iterdir())[:_MOST_ENTRIES]:
            real, kind = path.resolve(), _kind(path.name)
            if kind and real.parent == self._path and real.is_file() and stat.S_ISREG(real.stat().st_mode):
                found[path.name] = real, kind
        return found


def _kind(name: str) -> str:
    if is_audio_name(name):
        return "audio"
    suffix = Path(name).suffix.lower()
    return "model" if suffix in _MODEL_SUFFIXES else "style" if suffix == _STYLE_SUFFIX else ""
