"""Who made a file and on what terms, from a package's machine-readable copyright file.

Source of the format: Debian, "Machine-readable debian/copyright file", version 1.0, section 6 (Files stanzas; the
last one that matches counts).
"""

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Terms:
    """Licence in a word or two, and the copyright holders, as the package states them."""

    licence: str
    author: str


def terms_of(copyright_file: Path, source_path: str) -> Terms | None:
    """Terms of one file of a package; None where the copyright file is prose or says nothing about it.

    Args:
        copyright_file: of the package.
        source_path: where the file lies in the installed package. Patterns name paths of the source package, so a
            pattern matches where its last parts (the folder and the file name at least) match those of the path.
    """
    text = copyright_file.read_text("utf-8", errors="replace")
    if not re.match(r"\s*Format(-Specification)?:", text):
        return None
    found = None
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        patterns = fields.get("files", "").replace(",", " ").split()
        if patterns and any(_matches(pattern, source_path) for pattern in patterns):
            licence = fields.get("license", "").split("\n")[0].strip()
            author = " ".join(fields.get("copyright", "").replace("©", " ").split())
            found = Terms(licence, author)
    return found


def simple_part(licence: str, simple: list[str]) -> str | None:
    """The alternative of a licence that is on the list ("GPL-3 or CC-BY-3.0" → "CC-BY-3.0"); None without one."""
    for alternative in re.split(r"\s+or\s+|\s*\|\s*", licence, flags=re.IGNORECASE):
        parts = [part.strip() for part in re.split(r"\s+and\s+|,", alternative) if part.strip()]
        if parts and all(_is_simple(part, simple) for part in parts):
            return alternative.strip()
    return None


def _is_simple(licence: str, simple: list[str]) -> bool:
    name = re.sub(r"[-v\s]*\d+(\.\d+)*\+?$", "", licence.strip(), flags=re.IGNORECASE)
    name = re.sub(r"-\d+-clause$", "", name, flags=re.IGNORECASE)
    return name.casefold() in {entry.casefold() for entry in simple}


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.strip("\n").split("\n"):
        if line[:1] in " \t" and name:
            fields[name] += "\n" + line.strip()
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def _matches(pattern: str, path: str) -> bool:
    if pattern == "*":
        return True
    parts = pattern.lstrip("./").split("/")
    least = 1 if "*" not in parts[-1] and "?" not in parts[-1] else 2
    tails = ["/".join(parts[i:]) for i in range(max(len(parts) - least + 1, 1))]
    return any(fnmatch.fnmatch(path, f"*/{tail}") for tail in tails if tail != "*")
