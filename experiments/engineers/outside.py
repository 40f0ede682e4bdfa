"""An engineer made of ffmpeg's filters alone: its meters decide, its processors do, nothing here is our DSP.

Meters: `ebur128`, and `astats` of the whole, of the bass below 150 Hz, of mid and of side. Processors: `bass`,
`equalizer`, `treble`, `acompressor`, `stereotools`, `volume`, `alimiter`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.engineers.policies import ramp
from neural_mastering.atomic import write_text

NAME = "outside"
DOES = "ffmpeg: bass by its share, treble by zero crossings, ratio by crest, width by side, loudness by LRA"


class Readings(NamedTuple):
    """What ffmpeg measures of a song."""

    loudness_lufs: float
    lra_lu: float
    crest_db: float
    zero_crossings: float
    bass_db: float
    side_db: float


def read(path: Path) -> Readings:
    """Measure a file of one or two channels."""
    graph = (
        "[0:a]aformat=channel_layouts=stereo,asplit=4[a][b][c][d];"
        "[a]ebur128=framelog=verbose,anullsink;"
        "[b]astats@whole=measure_perchannel=Zero_crossings_rate:measure_overall=RMS_level+Peak_level,anullsink;"
        "[c]lowpass=150,lowpass=150,astats@low=measure_perchannel=none:measure_overall=RMS_level,anullsink;"
        "[d]pan=stereo|c0=0.5*c0+0.5*c1|c1=0.5*c0-0.5*c1,"
        "astats@sides=measure_perchannel=RMS_level:measure_overall=none,anullsink"
    )
    text = _run("-i", path, "-filter_complex", graph, "-f", "null", "-")
    rms_db = _values(text, "whole", "RMS level dB")[0]
    middle_db, side_db = _values(text, "sides", "RMS level dB")
    crossings = _values(text, "whole", "Zero crossings rate")
    return Readings(
        loudness_lufs=_last(text, r"I:\s+(-?[\d.]+) LUFS"),
        lra_lu=_last(text, r"LRA:\s+([\d.]+) LU"),
        crest_db=_values(text, "whole", "Peak level dB")[0] - rms_db,
        zero_crossings=sum(crossings) / len(crossings),
        bass_db=_values(text, "low", "RMS level dB")[0] - rms_db,
        side_db=max(side_db - middle_db, -40.0),
    )


def hears(path: Path, kept: Path) -> NDArray[np.float64]:
    """(1, reading) what the policy reads: the right features of a regression; measured once."""
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_text(kept, json.dumps(read(path)._asdict()) + "\n")
    held = Readings(**json.loads(kept.read_text("utf-8")))
    return np.array([[held.lra_lu, held.crest_db, held.zero_crossings, held.bass_db, held.side_db]])


def chain(heard: Readings) -> str:
    """The policy: ffmpeg's filters but for the level and the limiter."""
    bass_db = 3.0 - 4.0 * ramp(heard.bass_db, -12.0, -2.0)
    treble_db = 4.0 - 5.0 * ramp(heard.zero_crossings, 0.02, 0.10)
    ratio = 1.0 + 2.0 * ramp(heard.crest_db, 12.0, 20.0)
    threshold = 10.0 ** (max(heard.loudness_lufs, -40.0) / 20.0)
    side = 10.0 ** ((3.0 - 5.0 * ramp(heard.side_db, -20.0, -3.0)) / 20.0)
    return (
        f"aformat=sample_fmts=dbl:channel_layouts=stereo,bass=g={bass_db:.2f}:f=90:t=q:w=0.7,"
        f"equalizer=f=400:t=q:w=0.8:g=-1,treble=g={treble_db:.2f}:f=6000:t=q:w=0.7,"
        f"acompressor=threshold={threshold:.4f}:ratio={ratio:.2f}:attack=20:release=200:knee=4,"
        f"stereotools=slev={side:.3f}"
    )


def loudness_lufs(heard: Readings) -> float:
    """Of the master."""
    return -10.0 - 4.0 * ramp(heard.lra_lu, 2.0, 10.0)


def master(song: Path, out: Path, heard: Readings) -> None:
    """Write the master as a 32-bit float WAV; the gain before the limiter is found in two rounds."""
    wanted, filters = loudness_lufs(heard), chain(heard)
    gain_db = wanted - _loudness(song, filters)
    limiter = "alimiter=limit=0.891:attack=5:release=80:level=false:latency=true"
    gain_db += wanted - _loudness(song, f"{filters},volume={gain_db:.2f}dB,{limiter}")
    graph = f"{filters},volume={gain_db:.2f}dB,{limiter}"
    _run("-y", "-i", song, "-af", graph, "-c:a", "pcm_f32le", out)


def _loudness(song: Path, filters: str) -> float:
    text = _run("-i", song, "-af", f"{filters},ebur128=framelog=verbose", "-f", "null", "-")
    return _last(text, r"I:\s+(-?[\d.]+) LUFS")


def _run(*arguments: object) -> str:
    """What ffmpeg writes to its standard error; SystemExit with it where ffmpeg fails or is missing."""
    line = ["ffmpeg", "-hide_banner", "-nostats", "-nostdin", "-threads", "1", *map(str, arguments)]
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False, errors="replace")
    except FileNotFoundError:
        sys.exit("the outside engineer is made of ffmpeg's filters: install ffmpeg")
    if done.returncode:
        sys.exit(f"failed: {' '.join(line)}\n{done.stderr}")
    return done.stderr


def _values(text: str, name: str, measure: str) -> list[float]:
    """Readings of the `astats` with a name, in the order of channels."""
    return [float(value) for value in re.findall(rf"astats@{name} .*\] {measure}: (-?[\d.]+|-inf)", text)]


def _last(text: str, pattern: str) -> float:
    return float(re.findall(pattern, text)[-1])
