"""The styles that ship with the package, and finding a style by its name or file."""

from __future__ import annotations

import difflib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from neural_mastering.errors import InputError
from neural_mastering.styles.profile import StyleProfile
from neural_mastering.styles.style_file import load_style

GENERAL = "general"
"""The style of all music that we measured; what others fall back to."""


@lru_cache(maxsize=1)
def bundled_styles() -> dict[str, Path]:
    """File of each bundled style by its name, in alphabetical order."""
    folder = Path(str(files("neural_mastering.assets").joinpath("styles")))
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


def find_style(name_or_file: str | Path) -> StyleProfile:
    """A bundled style by its name (in any case), or a style from a file.

    Raises:
        InputError: no bundled style of that name and no such file, or a file that is no style.
    """
    text = str(name_or_file).strip()
    name = text.lower().replace(" ", "-").replace("_", "-")
    known = bundled_styles()
    if name in known:
        return load_style(known[name])
    if text and Path(text).is_file():
        return load_style(text)
    if text.lower().endswith(".json") or "/" in text or "\\" in text:
        raise InputError(f"there is no style file {text}: make one with nm-style learn")
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise InputError(
        f"there is no style {text!r}: {hint}expected {', '.join(known)}, or a file made by nm-style learn"
    )
