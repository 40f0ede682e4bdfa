"""Matchering's results for several references."""

import tempfile
from pathlib import Path

import numpy as np
import soundfile

from experiments.common.matchering import Job, match
from experiments.reference_matching.excerpts import RATE, Samples, read


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
