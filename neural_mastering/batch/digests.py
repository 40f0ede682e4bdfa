"""Digests of files that were taken once and hold as long as size and time stay."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from neural_mastering.atomic import write_text
from neural_mastering.batch.storage import digest_of, is_url, stamp_of

_FILE = "digests.json"


class Digests:
    """BLAKE2b of files by path; what another run has read is not read again.

    Args:
        out: folder that remembers them.
    """

    def __init__(self, out: Path) -> None:
        self._path = out / _FILE
        self._known: dict[str, tuple[str, str]] = {}
        self._looked: dict[str, str] = {}
        self._is_new = False
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            self._known = {str(path): (str(stamp), str(digest)) for path, (stamp, digest) in stored.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            pass  # none yet, or damaged: they are taken again

    def of(self, location: str) -> str:
        """The digest of a file's content, of the names and stamps of a folder's files, or, elsewhere, of the stamp.

        A file that does not exist has one, too; whoever needs it will say so.
        """
        if location not in self._looked:
            self._looked[location] = self._take(location)
        return self._looked[location]

    def save(self) -> None:
        """Remember what was read."""
        if self._is_new:
            write_text(self._path, json.dumps(self._known, indent=0) + "\n", errors="replace")
            self._is_new = False

    def _take(self, location: str) -> str:
        path = Path(location)
        if not is_url(location) and path.is_dir():
            files = sorted(f for f in path.rglob("*") if f.is_file())
            return _text_digest("\n".join(f"{f.relative_to(path)}:{stamp_of(str(f))}" for f in files))
        stamp = stamp_of(location)
        if stamp is None or is_url(location):
            return _text_digest(str(stamp))
        known = self._known.get(location)
        if known is not None and known[0] == stamp:
            return known[1]
        digest = digest_of(path)
        self._known[location] = (stamp, digest)
        self._is_new = True
        return digest


def _text_digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
