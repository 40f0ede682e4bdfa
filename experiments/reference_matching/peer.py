"""Matchering 2.0.6, run by an interpreter that has it in an environment of its own."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from excerpts import RATE, Samples, read

SCRIPT = """
import sys, matchering as mg
target, *references = sys.argv[1:]
for reference in references:
    mg.process(target=target, reference=reference, results=[mg.pcm24(reference + ".out.wav")])
"""


def by_peer(python: Path, audio: Samples, references: dict[str, Samples]) -> dict[str, Samples]:
    """Matchering's result for each reference, (channel, time)."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.wav" for number in range(len(references) + 1)]
        for file, sound in zip(files, (audio, *references.values()), strict=True):
            peak = max(1.0, float(np.abs(sound).max()))
            soundfile.write(file, sound.T / peak, RATE, subtype="PCM_24")
        done = subprocess.run(
            [str(python), "-c", SCRIPT, *map(str, files)], capture_output=True, text=True, cwd=folder
        )
        if done.returncode:
            sys.exit(f"{python} could not run Matchering:\n{done.stderr}")
        return {name: read(Path(f"{f}.out.wav")) for name, f in zip(references, files[1:], strict=True)}
