"""For mkdocstrings: parameters that share a line of a docstring (`low_hz, high_hz: range`) get a line each."""

import re
from typing import Any

import griffe

SECTIONS = ("Args:", "Attributes:", "Raises:")
_SHARED = re.compile(r"^(\s+)(\w+(?:, \w+)+):(\s.*)?$")


def separated(text: str) -> str:
    """The docstring with one entry for each of the names that share one, all with the same description."""
    lines, out, section, i = text.splitlines(), [], -1, 0
    while i < len(lines):
        line, i = lines[i], i + 1
        indent = _indent(line)
        if line.strip() in SECTIONS:
            section = indent
        elif line.strip() and indent <= section:
            section = -1
        match = _SHARED.match(line) if section >= 0 else None
        if match is None:
            out.append(line)
            continue
        rest = []
        while i < len(lines) and lines[i].strip() and _indent(lines[i]) > indent:
            rest.append(lines[i])
            i += 1
        for name in match[2].split(", "):
            out += [f"{match[1]}{name}:{match[3] or ''}", *rest]
    return "\n".join(out)


class SharedLines(griffe.Extension):
    """Rewrites docstrings before they are parsed."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called for every module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = separated(obj.docstring.value)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
