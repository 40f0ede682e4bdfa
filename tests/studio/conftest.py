"""A running nm-studio, and short mixes of every kind."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))
pytest.importorskip("fastapi", reason="extra studio is not installed")

from nm_test_studio import Studio, write_mix


@pytest.fixture(scope="session")
def mix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mix(tmp_path_factory.mktemp("mixes") / "my mix.wav")


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mix(tmp_path_factory.mktemp("mixes") / "other.flac", seed=3)


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with Studio(tmp_path_factory.mktemp("studio") / "project") as running:
        yield running


@pytest.fixture(scope="session")
def song(studio: Studio, mix: Path) -> str:
    return studio.upload(mix)
