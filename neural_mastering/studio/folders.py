"""Where projects are kept when nobody says where."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def data_folder() -> Path:
    """The folder of this user's data for this program, as each system has it."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "neural-mastering" / "studio"


def project_folder(songs: Sequence[Path]) -> Path:
    """The project of these files, the same whenever they are named again; without any, the common one."""
    if not songs:
        return data_folder() / "default"
    named = "\n".join(str(song.resolve()) for song in songs)
    digest = hashlib.sha256(named.encode(errors="surrogateescape")).hexdigest()
    stem = "".join(c if c.isalnum() else "-" for c in songs[0].stem)[:40]
    return data_folder() / f"{stem}-{digest[:8]}"
