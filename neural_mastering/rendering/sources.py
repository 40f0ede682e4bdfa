"""Which songs are meant by files, folders and patterns."""

import glob
import re
from collections.abc import Sequence
from pathlib import Path

from neural_mastering.audio_io.reader import READABLE_SUFFIXES
from neural_mastering.errors import InputError

MASTER_ENDING = "_master"
"""Of a master's name where none is given."""

_PATTERN = re.compile(r"[*?\[]")


def expand_sources(given: Sequence[Path]) -> list[Path]:
    """Files as they are; for a folder its songs, for a pattern that no shell has expanded what it matches, by name.

    A folder's own subfolders and hidden files are left out, and so is NAME_master beside a song NAME, which it was
    made of.

    Raises:
        InputError: a folder without songs, or a pattern that matches none.
    """
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            songs = _without_masters([file for file in path.iterdir() if _is_song(file)])
            if not songs:
                raise InputError(
                    f"{path} is a folder without songs (its subfolders are not searched): give audio files"
                )
            found += sorted(songs, key=_natural)
        elif _PATTERN.search(str(path)) and not path.exists():
            matches = [Path(name) for name in glob.glob(str(path))]  # noqa: PTH207 - absolute ones, too
            if not matches:
                raise InputError(f"no file matches {path}")
            found += sorted((file for file in matches if not file.is_dir()), key=_natural)
        else:
            found.append(path)
    return found


def _is_song(file: Path) -> bool:
    return file.suffix.lower() in READABLE_SUFFIXES and not file.name.startswith(".") and file.is_file()


def _without_masters(songs: Sequence[Path]) -> list[Path]:
    stems = {file.stem for file in songs}
    made = {stem + MASTER_ENDING for stem in stems}
    return [file for file in songs if file.stem not in made]


def _natural(file: Path) -> list[tuple[int, str]]:
    """Numbers count as numbers: 2 comes before 10."""
    parts = re.split(r"(\d+)", file.name.casefold())
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]
