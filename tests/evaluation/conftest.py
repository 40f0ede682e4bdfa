"""The small world of nm-eval's tests, made once."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "cli" / "support"))

import nm_eval_world as world  # pyright: ignore[reportMissingImports]


@pytest.fixture(scope="session")
def eval_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.make_pairs(tmp_path_factory.mktemp("eval") / "my pairs")


@pytest.fixture(scope="session")
def eval_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.make_run(tmp_path_factory.mktemp("runs") / "my run 1c")


@pytest.fixture(scope="session")
def eval_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("eval_cache")
