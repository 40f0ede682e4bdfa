"""Short audio for the players of the pages, and names that must stay text."""

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent / "support"))

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
