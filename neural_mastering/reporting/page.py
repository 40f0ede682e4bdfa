"""The scaffold of a report page: one HTML file with everything inline, that is forbidden to load anything."""

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from itertools import chain
from pathlib import Path

from neural_mastering.atomic import replacing
from neural_mastering.reporting.markup import Html, escape, tag

LISTENING = "listening.js"
"""The script of the blind tests, which other pages of this package serve, too."""

_SCRIPTS = (LISTENING, "player.js", "songs.js")


@lru_cache(maxsize=1)
def style() -> Html:
    """The style sheet."""
    return Html(_part("page.css"))


@lru_cache(maxsize=1)
def script() -> Html:
    """The one script of a page."""
    return Html("\n".join(_part(name) for name in _SCRIPTS))


def content_policy() -> str:
    """What the browser may do: run this very script (by its hash), and nothing from a network.

    Inline styles are allowed for the positions of chart labels; everything else is refused, so a page can neither
    fetch nor send, and a script smuggled in by a file name would not run.
    """
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "media-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def write_page(path: Path, title: str, body: Iterable[Html], report_id: str = "") -> Path:
    """Write a page piece by piece; it appears whole or not at all.

    Args:
        path: of the HTML file; its folder is made where it is missing.
        title: shown in the browser's tab.
        body: pieces of HTML, written as they come, so that a long page never lies in memory as a whole.
        report_id: names the listening log of this page.
    """
    pieces = chain([_head(title, report_id)], body, [Html(f"<script>{script()}</script>\n</body>\n</html>")])
    with replacing(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{piece}\n" for piece in pieces)
    return path


def section(heading: str, *content: object, id_: str | None = None, class_: str | None = None) -> Html:
    """A section with its heading."""
    return tag("section", tag("h2", heading), *content, id=id_, class_=class_)


def _head(title: str, report_id: str) -> Html:
    return Html(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(content_policy())}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{style()}</style>\n</head>\n"
        f'<body data-report="{escape(report_id)}">'
    )


def _part(name: str) -> str:
    return files("neural_mastering.reporting").joinpath(name).read_text(encoding="utf-8")
