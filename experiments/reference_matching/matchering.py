"""Matchering's results for several references."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from experiments.common.matchering import Job, match
from experiments.reference_matching.excerpts import RATE, Samples, read


def match_files(python: Path, pairs: Sequence[tuple[Path, Path]], seconds: float) -> list[Samples]:
    """Matchering's result for excerpts of songs and references, (channel, time), by one process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = [
            Job(
                _written(folder / f"{number}.song.wav", read(song, seconds)),
                _written(folder / f"{number}.reference.wav", read(reference, seconds)),
                folder / f"{number}.out.wav",
            )
            for number, (song, reference) in enumerate(pairs)
        ]
        match(python, jobs)
        return [read(job.output) for job in jobs]


def match_all(python: Path, audio: Samples, references: dict[str, Samples]) -> dict[str, Samples]:
    """Matchering's result for each reference, (channel, time)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target = _written(folder / "target.wav", audio)
        jobs = [
            Job(target, _written(folder / f"{number}.wav", sound), folder / f"{number}.out.wav")
            for number, sound in enumerate(references.values())
        ]
        match(python, jobs)
        return {name: read(job.output) for name, job in zip(references, jobs, strict=True)}


def _written(path: Path, sound: Samples) -> Path:
    peak = max(1.0, float(np.abs(sound).max()))
    soundfile.write(path, sound.T / peak, RATE, subtype="PCM_24")
    return path
