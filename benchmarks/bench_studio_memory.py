"""nm-studio with a long song: what its server, its workers and the page hold of it. Nothing here is timed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks._timing import Row, as_table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "studio" / "support"))

from nm_test_memory import grown_mb

TITLE = "nm-studio: resident memory for a long song (stereo, 44.1 kHz) over that for one of 12 s"

WANTED_MB = 60


def run(lengths_min: tuple[int, ...] = (12, 60)) -> list[Row]:
    """One row for each process and length: sent, measured, a part heard with every stage, played at 20 places."""
    rows: list[Row] = []
    for minutes in lengths_min:
        with tempfile.TemporaryDirectory() as folder:
            for what, grown in grown_mb(Path(folder), ".wav", minutes).items():
                wanted = f"< {WANTED_MB} MB"
                rows.append(
                    {"what": what, "minutes": str(minutes), "grown": f"{grown:+.0f} MB", "wanted": wanted}
                )
    return rows


if __name__ == "__main__":
    print(as_table(run()))
