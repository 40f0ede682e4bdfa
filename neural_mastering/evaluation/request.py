"""What the user asked an evaluation for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neural_mastering.evaluation.measure_song import EvaluationOptions


@dataclass(frozen=True)
class EvaluationRequest:
    """What the user asked for.

    Attributes:
        checkpoints: run folders, .ckpt files, bundles or names of bundled models.
        data: folder of the pairs, or "demo".
        out: folder for the results.
        split: "train", "validation", "test" or "all".
        systems: name → folder of masters made by anyone.
        songs: names to keep; all by default.
        options: what to measure.
        sample_rate: only without checkpoints; they bring their own.
        peers: whether Matchering gets its rows, where it is installed.
        report: whether report.html is written.
        jobs: processes; None chooses.
        seed: of the bootstrap.
        overwrite: results in `out` may be replaced.
        cache_folder: of resampled files.
        command: as typed, for the report.
    """

    checkpoints: tuple[Path, ...]
    data: str | Path
    out: Path
    split: str = "test"
    systems: Mapping[str, Path] | None = None
    songs: tuple[str, ...] = ()
    options: EvaluationOptions = field(default_factory=EvaluationOptions)
    sample_rate: int | None = None
    peers: bool = True
    report: bool = True
    jobs: int | None = None
    seed: int = 0
    overwrite: bool = False
    cache_folder: Path | None = None
    command: str = ""
