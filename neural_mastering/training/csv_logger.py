"""metrics.csv that survives an interruption."""

import csv
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger


class ResumableCSVLogger(CSVLogger):
    """Writes `metrics.csv` straight into the run folder; can go on with one that is already there."""

    def __init__(self, run_dir: str | Path, flush_logs_every_n_steps: int = 20) -> None:
        super().__init__(run_dir, name="", version="", flush_logs_every_n_steps=flush_logs_every_n_steps)
        self._path = Path(run_dir) / "metrics.csv"

    def keep_until(self, step: int) -> None:
        """Go on with the existing file: keep its rows of the first `step` steps, which will not be repeated."""
        if not self._path.is_file():
            return
        with self._path.open(newline="") as file:
            rows = [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]
        kept = [row for row in rows if int(float(row["step"])) < step]
        self._path.unlink()
        self.experiment.metrics.extend(kept)  # type: ignore[arg-type]
        self.save()
