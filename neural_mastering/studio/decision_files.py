"""Decisions that were made, kept in a song's folder by the settings that led to them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import neural_mastering
from neural_mastering.atomic import write_text
from neural_mastering.rendering.settings import References, Settings
from neural_mastering.studio.song_files import DECISIONS

Decision = dict[str, Any]

_MOST_KEPT = 32
_NOT_DECISIVE = (
    "bits",
    "format",
    "also",
    "codec_check",
    "codec_safe",
    "replaygain",
    "sample_rate_hz",
)
"""Settings that change files, and nothing that is decided."""


def keep_decision(decision: Decision, settings: Settings, references: References, folder: Path) -> None:
    """Keep a decision, and forget the oldest."""
    kept = _path(folder, settings, references)
    kept.parent.mkdir(exist_ok=True)
    write_text(kept, json.dumps(decision))
    for old in sorted(kept.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-_MOST_KEPT]:
        old.unlink(missing_ok=True)


def kept_decision(settings: Settings, references: References, folder: Path) -> Decision | None:
    """The decision that was made for the same settings before; None where there was none."""
    kept = _path(folder, settings, references)
    return json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else None


def _path(folder: Path, settings: Settings, references: References) -> Path:
    asked = [
        neural_mastering.__version__,
        {name: value for name, value in asdict(settings).items() if name not in _NOT_DECISIVE},
        [[str(path), weight] for path, weight in references],
    ]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    return folder / DECISIONS / f"{digest[:24]}.json"
