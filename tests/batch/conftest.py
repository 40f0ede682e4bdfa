"""Songs that are words, and batches of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neural_mastering.batch.manifest import read_manifest
from neural_mastering.batch.request import BatchRequest, SongLimits

ROOT = Path(__file__).parents[2]
FAULTS = "benchmarks.batch_faults:behave"


@pytest.fixture(autouse=True)
def _faults_are_importable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("NM_BATCH_LOG", str(tmp_path / "log.txt"))


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., BatchRequest]:
    """A request for songs that do what their words say."""

    def make(words: dict[str, str], **further: Any) -> BatchRequest:
        for name, word in words.items():
            file = tmp_path / name
            if not file.exists() or file.read_text() != word:
                file.write_text(word)
        manifest = tmp_path / "manifest.csv"
        manifest.write_text("path\n" + "".join(f"{tmp_path / name}\n" for name in words))
        settings: dict[str, Any] = {"kind": "measure", "function": FAULTS} | further
        limits = settings.pop("limits", SongLimits(20.0, 0))
        return BatchRequest(
            songs=read_manifest(manifest).songs, out=tmp_path / "out", limits=limits, **settings
        )

    return make


@pytest.fixture
def tries(tmp_path: Path) -> Callable[[], int]:
    """How many songs were begun so far."""
    return lambda: len(log.read_text().splitlines()) if (log := tmp_path / "log.txt").exists() else 0
