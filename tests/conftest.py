"""Shared by all tests: one thread a process, a seed, headless Chromium, and the record of the slow tests."""

import platform
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jaxtyping
import pytest
from jaxtyping import install_import_hook

sys.path.insert(0, str(Path(__file__).parent / "support"))

from nm_test_browser import Browser, find_chromium

# Shapes and types are checked while tests run; an int is welcome where a float is asked for (PEP 484).
CHECKED = [f"neural_mastering.{package}" for package in ("dsp", "processors", "losses", "models", "data")]
install_import_hook(CHECKED, "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record", metavar="FILE", help="write the outcome and duration of each test as Markdown"
    )


def pytest_configure(config: pytest.Config) -> None:
    import torch

    torch.set_num_threads(1)  # xdist runs one process a core


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    import torch

    torch.manual_seed(0)
    yield


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One tab of headless Chromium."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium (install the package chromium, or name one in CHROMIUM)")
    tab = Browser(program, tmp_path_factory.mktemp("chromium profile"))
    yield tab
    tab.close()


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the library's own answers to wrong arguments, which the checker would catch first."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    file = config.getoption("--record")
    if not file:
        return
    import torch

    reports = [
        (report.nodeid, outcome, report.duration)
        for outcome in ("passed", "failed", "skipped")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call" or outcome != "passed"
    ]
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    counts = {o: sum(r[1] == o for r in reports) for o in ("passed", "failed", "skipped")}
    lines = [
        "# Last result of `make test-slow`",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit}, Python {platform.python_version()}, "
        f"torch {torch.__version__}: " + ", ".join(f"{n} {o}" for o, n in counts.items()),
        "",
        "| test | outcome | seconds |",
        "|---|---|--:|",
        *(f"| {node} | {outcome} | {seconds:.1f} |" for node, outcome, seconds in sorted(reports)),
    ]
    (ROOT / file).write_text("\n".join(lines) + "\n")
