"""What the evaluation of one song hands back: plain numbers, small enough to travel between processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_mastering.evaluation.controls_trace import ControlsTrace
from neural_mastering.evaluation.recovery import Recovery

Scores = Mapping[str, float]
"""Columns of `metrics.suite.columns` → values."""


@dataclass(frozen=True)
class Excerpt:
    """Audio for the players, kept on disk.

    Attributes:
        files: source ("before", "target", a system's key) → .npy file with (channel, time), float32.
        start_s: where in the song it begins.
    """

    files: Mapping[str, Path]
    start_s: float


@dataclass(frozen=True)
class SongResult:
    """One song's numbers.

    Attributes:
        name, group: of the song.
        duration_s: its length.
        channels: 1 or 2.
        whole: system key → scores of the whole song.
        segments: system key → means over the song's fixed segments; empty where they are left out.
        segment_count: how many.
        ablations: (model key, ablation key) → scores of the whole song.
        traces: system key → what was done.
        residual_share_db: model key → share of the residual.
        recovery: system key → errors against the true correction, where it is known.
        third_octaves: source → levels in dB at `dsp.ltas.third_octave_centres_hz`.
        short_term: source → short-term loudness in LUFS, every second.
        excerpt: audio for the players; None where it is left out.
        skipped: system key → why it has no result for this song.
        seconds: wall time spent "rendering" and "measuring" whole songs, and on "segments" and "ablations".
    """

    name: str
    group: str
    duration_s: float
    channels: int
    whole: Mapping[str, Scores]
    segments: Mapping[str, Scores] = field(default_factory=dict)
    segment_count: int = 0
    ablations: Mapping[tuple[str, str], Scores] = field(default_factory=dict)
    traces: Mapping[str, ControlsTrace] = field(default_factory=dict)
    residual_share_db: Mapping[str, float] = field(default_factory=dict)
    recovery: Mapping[str, Recovery] = field(default_factory=dict)
    third_octaves: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    short_term: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    excerpt: Excerpt | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
