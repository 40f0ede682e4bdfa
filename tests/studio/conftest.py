"""A running nm-studio, and short mixes of every kind."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))
pytest.importorskip("fastapi", reason="extra studio is not installed")

from nm_test_studio import Studio, write_mix

GROUPS = {"test_page": "page", "test_page_looks": "page", "test_engine": "page", "test_security": "walled"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With --dist loadgroup, tests that share a server or the browser run in one process, and start them once."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(f"studio {GROUPS.get(item.path.stem, 'server')}"))


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
def spare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with Studio(tmp_path_factory.mktemp("spare") / "project") as running:
        yield running


@pytest.fixture
def fresh(spare: Studio) -> Studio:
    """A server with an empty project, the same for all tests that ask for one: starting it costs 4 s of a core."""
    return spare.clear()


@pytest.fixture(scope="session")
def song(studio: Studio, mix: Path) -> str:
    return studio.upload(mix)
