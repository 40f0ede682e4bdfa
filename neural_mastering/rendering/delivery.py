"""Loudness and ceiling: gain → limiter → file → meter, until the written file is on target and below it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.decibel import gain_of
from neural_mastering.dsp.limiter import LimiterSettings
from neural_mastering.errors import InputError
from neural_mastering.rendering.ahead import ahead
from neural_mastering.rendering.audio_reader import BLOCK_SAMPLES, Block
from neural_mastering.rendering.limiter_stage import LimiterStage
from neural_mastering.rendering.meter import Meter, Readings
from neural_mastering.rendering.second_look import SecondLook
from neural_mastering.rendering.stream import run_stages
from neural_mastering.rendering.survey import Survey
from neural_mastering.rendering.writer import AtomicWriter

TOLERANCE_LU = 0.1
"""How far from the target the written file may be."""

LOOK_DB = 0.02
"""What the second look may read above the ceiling."""

_AIM_LU = 0.09  # what ends the loop
_PASSES = 6
_MARGIN_DB = {"16": 0.004, "24": 0.0005, "32f": 0.0005}  # what rounding and dither may add to a peak


@dataclass(frozen=True)
class Wanted:
    """What the loop aims at.

    Attributes:
        lufs: integrated loudness; None leaves the level as it is, but for the ceiling.
        ceiling_db: dBTP; None lets peaks go where they will.
        max_reduction_db: the most that the limiter may take off a peak; 0 caps the gain instead of limiting.
        settings: of the limiter.
    """

    lufs: float | None
    ceiling_db: float | None
    max_reduction_db: float = 6.0
    settings: LimiterSettings = field(default_factory=LimiterSettings)


@dataclass(frozen=True)
class Delivered:
    """What came of it.

    Attributes:
        readings: of the written samples.
        gain_db: broadband gain before the limiter.
        reduction_db: of the limiter, largest of every 100 ms, as positive numbers; empty without a limiter.
        held_back: why the target was not reached: "reduction", "peaks", or "" where it was.
        passes: how often the song went through the limiter.
        clipped_samples: that did not fit into the integers of the file (with the ceiling off).
    """

    readings: Readings
    gain_db: float
    reduction_db: NDArray[np.float64]
    held_back: str
    passes: int
    clipped_samples: int


def deliver(
    blocks: Callable[[], Iterator[Block]],
    before: Survey,
    wanted: Wanted,
    open_writer: Callable[[], AtomicWriter],
) -> tuple[Delivered, AtomicWriter]:
    """Write the song at its gain; gives the closed draft, which the caller commits.

    Args:
        blocks: starts the signal before the loudness stage from its beginning.
        before: its survey.
        wanted: target and ceiling.
        open_writer: makes a fresh draft for each pass.
    """
    readings = before.readings
    rate, channels = readings.sample_rate, len(readings.channel_power)
    highest, reason = _highest_gain(readings, wanted, _MARGIN_DB["16"])
    gain_db, aim = _first_gain(before, wanted)
    held_back = reason if gain_db > highest else ""
    gain_db = min(gain_db, highest)
    lower_db = 0.0  # how far the limiter's threshold stays below the ceiling beyond the margin
    attempt = 0
    while True:
        attempt += 1
        writer = open_writer()
        limiter = None
        if wanted.ceiling_db is not None and wanted.max_reduction_db > 0.0:
            threshold_db = wanted.ceiling_db - _MARGIN_DB[writer.form.bits] - lower_db
            limiter = LimiterStage(threshold_db, rate, channels, wanted.settings)
        try:
            look = None if wanted.ceiling_db is None else SecondLook(rate, channels, wanted.ceiling_db)
            written = _write(blocks(), gain_db, limiter, writer, Meter(rate, channels), look)
            writer.close()
        except BaseException:
            writer.abandon()
            raise
        over = -math.inf
        if wanted.ceiling_db is not None and look is not None:
            over = max(written.true_peak_db, look.finish() - LOOK_DB) - wanted.ceiling_db
        error = 0.0 if aim is None or not math.isfinite(written.lufs) else aim - written.lufs
        at_limit = gain_db >= highest - 1e-9 and error > 0.0
        if over <= 0.0 and (abs(error) <= _AIM_LU or at_limit):
            break
        if attempt >= _PASSES and over <= 0.0:
            break
        if attempt >= 3 * _PASSES:
            writer.abandon()
            raise InputError(
                f"a ceiling of {wanted.ceiling_db:g} dBTP can't be kept at this resolution: use --bits 24"
            )
        if over > 0.0:
            lower_db += over + 0.002
            highest -= over + 0.002  # so that the limiter takes off no more than before
        if aim is not None and abs(error) > _AIM_LU:
            gain_db = _next_gain(before, wanted, gain_db, written.lufs, aim)
        held_back = reason if gain_db > highest else ""
        gain_db = min(gain_db, highest)
        writer.abandon()
    if aim is not None and not held_back and abs(error) > TOLERANCE_LU:
        held_back = "peaks"
    reduction = limiter.reduction_db if limiter is not None else np.zeros(0)
    return Delivered(written, gain_db, reduction, held_back, attempt, writer.clipped_samples), writer


def _write(
    blocks: Iterator[Block],
    gain_db: float,
    limiter: LimiterStage | None,
    writer: AtomicWriter,
    meter: Meter,
    look: SecondLook | None,
) -> Readings:
    def limited() -> Iterator[Block]:
        gain = gain_of(gain_db)
        for block in blocks:
            scaled = block if gain == 1.0 else block * gain
            yield scaled if limiter is None else limiter.process(scaled)
        rest = limiter.flush() if limiter is not None else None
        if rest is not None:
            yield rest

    for block in ahead(limited()):
        if block.shape[1]:
            stored = writer.write(block)
            meter.push(stored)
            if look is not None:
                look.push(stored)
    return meter.finish()


def _highest_gain(readings: Readings, wanted: Wanted, margin_db: float) -> tuple[float, str]:
    """The gain that the ceiling and the permitted reduction allow, and the name of what stops it."""
    if wanted.ceiling_db is None or not math.isfinite(readings.true_peak_db):
        return math.inf, ""
    if wanted.max_reduction_db > 0.0:
        return wanted.ceiling_db + wanted.max_reduction_db - readings.true_peak_db, "reduction"
    return wanted.ceiling_db - margin_db - readings.true_peak_db, "peaks"


def _first_gain(before: Survey, wanted: Wanted) -> tuple[float, float | None]:
    """The gain to begin with, and the loudness to aim at, None where none can be measured."""
    if wanted.lufs is None or not math.isfinite(before.readings.lufs):
        return 0.0, None
    gain_db = _solve(before, wanted, wanted.lufs)
    return _solve(before, wanted, wanted.lufs - _misjudged(before, wanted, gain_db)), wanted.lufs


def _misjudged(before: Survey, wanted: Wanted, gain_db: float) -> float:
    """By how many LU the prediction is too low, found by limiting the excerpts; 0 where there is no limiting."""
    if before.sample is None or wanted.ceiling_db is None or wanted.max_reduction_db <= 0.0:
        return 0.0
    excerpts, audio = before.sample
    rate = excerpts.readings.sample_rate
    if excerpts.readings.true_peak_db + gain_db <= wanted.ceiling_db:
        return 0.0
    predicted = excerpts.limited_lufs(gain_db, wanted.ceiling_db, wanted.settings)
    meter = Meter(rate, len(audio), with_true_peak=False)
    limiter = LimiterStage(wanted.ceiling_db, rate, len(audio), wanted.settings)
    pieces = (
        audio[:, i : i + BLOCK_SAMPLES].astype(np.float64) * gain_of(gain_db)
        for i in range(0, audio.shape[1], BLOCK_SAMPLES)
    )
    for block in run_stages([limiter], pieces):
        meter.push(block)
    error = meter.finish().lufs - predicted
    return error if math.isfinite(error) else 0.0


def _next_gain(before: Survey, wanted: Wanted, gain_db: float, lufs: float, aim: float) -> float:
    """Correct the prediction by its error at the gain that was tried."""
    predicted = before.limited_lufs(gain_db, wanted.ceiling_db, wanted.settings)
    return _solve(before, wanted, aim + predicted - lufs)


def _solve(before: Survey, wanted: Wanted, lufs: float) -> float:
    """The gain in dB for which the predicted loudness is `lufs`, by bisection."""
    plain = lufs - before.readings.lufs
    if wanted.ceiling_db is None or wanted.max_reduction_db <= 0.0:
        return plain
    low, high = plain, plain + 30.0
    if before.limited_lufs(low, wanted.ceiling_db, wanted.settings) >= lufs:
        return low
    for _ in range(24):
        middle = 0.5 * (low + high)
        if before.limited_lufs(middle, wanted.ceiling_db, wanted.settings) < lufs:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
