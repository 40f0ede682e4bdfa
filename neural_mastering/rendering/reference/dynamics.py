"""Match dynamics and width to references: the compressor's and the stereo stage's own controls, found by trying.

Width: the side against the mid is compared in third octaves. Two versions of one song differ there by nearly the
same number of decibels everywhere, which is a width; two songs don't, and are not followed.

Dynamics: the levels of frames of 50 ms, as quantiles. A compressor is tried on pieces of the song (its real
ballistics, in NumPy), and threshold, ratio, attack and release are sought that bring the song's quantiles to the
references'. A song that is more even than the references stays as it is: a compressor can't undo compression.

Restraint: both are followed in proportion to the probability that the reference is a version of this very song,
which comes from the fine structure of the spectra (`prior`), and not at all below a half.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.metering.movement import FRAME_MS, Movement
from neural_mastering.rendering.reference.compressor_trial import KNEE_DB, CompressorTrial, Setting
from neural_mastering.rendering.reference.shares import EXACT, MatchShares
from neural_mastering.units import db_to_gain

Float64s = NDArray[np.float64]
Values = Mapping[str, float | tuple[float, ...]]

LEAST_LIKELY = 0.5
SPREAD_DB = 1.5
"""Median distance of the bands' differences from their median above which they are no common width."""

SMALLEST_WIDTH_DB = 0.3
SMALLEST_GAIN_DB = 0.15
"""A compressor that brings the quantiles closer by less than this is not worth having."""

_TIMES_MS = (10.0, 120.0)
_THRESHOLDS_DB = (-18.0, -12.0, -8.0, -4.0, 0.0)
_SLOPES = (0.1, 0.2, 0.35, 0.5, 0.65)


@dataclass(frozen=True)
class StageMatch:
    """Stages that a reference asks for, with sentences about them."""

    stages: Mapping[str, Values] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()


def match_stages(
    pieces: Sequence[Block],
    sample_rate: int,
    lufs: float,
    song: Movement,
    references: Movement,
    likely: float,
    sections: Float64s | None = None,
    shares: MatchShares = EXACT,
) -> StageMatch:
    """Compressor and stereo stage for a song.

    Args:
        pieces: of the song, (channel, time) each.
        sample_rate: of the song in Hz.
        lufs: its loudness.
        song, references: how they move.
        likely: probability that the references are versions of this song.
        sections: of the equaliser that will stand before the compressor, (section, 6).
        shares: of this that is asked for; a share of 0 leaves a stage alone.
    """
    if likely < LEAST_LIKELY:
        return StageMatch(
            sentences=(
                "dynamics and width were left alone: they belong to the other song, not to its mastering",
            )
        )
    stages: dict[str, Values] = {}
    sentences = []
    if shares.dynamics > 0.0:
        mix = shares.dynamics * likely
        compressor, said = find_compressor(pieces, sample_rate, lufs, references.levels_db, mix, sections)
        if compressor:
            stages["compressor"] = compressor
        sentences.append(said)
    if shares.width > 0.0:
        width, said = _width(song.side_db, references.side_db, shares.width * likely)
        if width:
            stages["stereo"] = width
        sentences.append(said)
    return StageMatch(stages, tuple(sentences))


def _width(song: Float64s, reference: Float64s, likely: float) -> tuple[Values, str]:
    difference = (reference - song)[np.isfinite(reference) & np.isfinite(song)]
    if difference.size < 6:
        return {}, "width was left alone: there is no side to compare"
    common = float(np.median(difference))
    spread = float(np.median(np.abs(difference - common)))
    if spread > SPREAD_DB:
        return {}, f"width was left alone: the sides differ by band ({spread:.1f} dB), which is no width"
    if abs(common) < SMALLEST_WIDTH_DB:
        return {}, "the width is that of the reference"
    width = float(np.clip(db_to_gain(likely * common), 0.25, 2.0))
    said = f"the reference's side is {common:+.1f} dB against ours in all bands: width {width:.2f}"
    return {"width": width, "bass_frequency_hz": 100.0, "bass_amount": 0.0}, said


def find_compressor(
    pieces: Sequence[Block],
    sample_rate: int,
    lufs: float,
    wanted_db: Float64s,
    mix: float,
    sections: Float64s | None = None,
    most_reduction_db: float = math.inf,
) -> tuple[Values, str]:
    """The compressor that brings the levels closest to those wanted, and a sentence; no settings where none does.

    Args:
        pieces: of the song, (channel, time) each.
        sample_rate: of the song in Hz.
        lufs: its loudness.
        wanted_db: quantiles of the levels, see `Movement`.
        mix: share of the compressed signal, 0 to 1.
        sections: of the equaliser that will stand before the compressor, (section, 6).
        most_reduction_db: reduction that 95 % of the samples must stay below.
    """
    trial = CompressorTrial(pieces, sample_rate, lufs, sections, most_reduction_db)
    start = trial.error_db(None, wanted_db)
    if not np.isfinite(start):
        return {}, "dynamics were left alone: too little sound to compare"
    best, least = None, start
    for threshold_db in _THRESHOLDS_DB:
        for slope in _SLOPES:
            best, least = trial.better((threshold_db, slope, *_TIMES_MS), wanted_db, best, least)
    if best is not None:
        best, least = _refined(trial, wanted_db, best, least)
    if best is None or start - least < SMALLEST_GAIN_DB or least > 0.8 * start:
        return (
            {},
            f"dynamics were left alone: levels differ by {start:.1f} dB, which no compressor brings closer",
        )
    threshold_db, slope, attack_ms, release_ms = best
    ratio = 1.0 / (1.0 - slope)
    said = (
        f"in the pieces that were tried, levels of {FRAME_MS:.0f} ms differed by {start:.1f} dB from the "
        f"reference's, {least:.1f} dB behind a compressor of {ratio:.1f}:1"
    )
    values: dict[str, float | tuple[float, ...]] = {
        "threshold_db": threshold_db,
        "ratio": ratio,
        "attack_ms": attack_ms,
        "release_ms": release_ms,
        "knee_db": KNEE_DB,
        "makeup_db": 0.0,
        "mix": min(mix, 1.0),
        "sidechain_hz": 0.0,
        "link_max": 0.0,
        "input_lufs": float(lufs),
    }
    return values, said


def _refined(
    trial: CompressorTrial, wanted_db: Float64s, best: Setting, least: float
) -> tuple[Setting, float]:
    """Smaller and smaller steps in each direction, one after another."""
    steps = [2.0, 0.08, 2.0, 2.0]
    for _ in range(4):
        for i, step in enumerate(steps):
            for sign in (-1.0, 1.0):
                moved = list(best)
                moved[i] = moved[i] * step**sign if i >= 2 else moved[i] + sign * step
                inside = -40.0 <= moved[0] <= 0.0 and 0.02 <= moved[1] <= 0.85
                if inside and 0.5 <= moved[2] <= 30.0 and 20.0 <= moved[3] <= 500.0:
                    setting = (moved[0], moved[1], moved[2], moved[3])
                    found, least = trial.better(setting, wanted_db, best, least)
                    best = found or best
        steps = [steps[0] / 2.0, steps[1] / 2.0, steps[2] ** 0.6, steps[3] ** 0.6]
    return best, least
