"""A song that takes the Ray worker that watches it along, as the system does when a machine runs out of memory."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neural_mastering.batch.work import Work


def behave(work: Work, sources: Sequence[Path], scratch: Path) -> list[dict[str, Any]]:
    """Half a second of work; a song whose file says "kill" kills the parent of its process."""
    time.sleep(0.5)
    if sources[0].read_text() == "kill":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    return [{"length": 1.0}]
