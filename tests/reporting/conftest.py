"""Headless Chromium for the tests of the pages, and short audio for their players."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent / "support"))

from nm_test_browser import Browser, find_chromium
from nm_test_reports import demo

NASTY = (
    "</script><script>hacked()</script>",
    "<img src=x onerror=hacked()>",
    "\"quoted\" 'name' & <b>bold</b> = ção ñ 日本",
    "=cmd|' /C calc'!A0",
    "</title></style>--><svg onload=hacked()>",
)
"""Names of songs and systems that must stay text."""


@pytest.fixture(scope="session")
def nasty() -> tuple[str, ...]:
    return NASTY


@pytest.fixture(scope="session")
def song() -> tuple[NDArray[np.float32], int]:
    """4 s of music, (2, time), and its rate."""
    return demo("s3_rock", 4.0)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium (install the package chromium, or name one in CHROMIUM)")
    tab = Browser(program, tmp_path_factory.mktemp("chromium profile"))
    yield tab
    tab.close()
