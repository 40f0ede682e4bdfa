"""Loudness and ceiling: gain → limiter → file → meter, until the written file is on target and below it."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import BLOCK_SAMPLES, Block
from neural_mastering.audio_io.disk_buffer import DiskBuffer
from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.audio_io.writer import AtomicWriter
from neural_mastering.dsp.limiter import LimiterSettings
from neural_mastering.errors import InputError
from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.metering.meter import Meter, Readings
from neural_mastering.metering.wide_peak import WidePeakMeter
from neural_mastering.rendering.stages.base import StreamStage, run_stages
from neural_mastering.rendering.stages.limiter import LimiterStage
from neural_mastering.rendering.stages.peak_control import PeakControlStage
from neural_mastering.units import db_to_gain

Limit = Literal["reduction", "peaks", "encoder"]
"""What stops a song short of its target."""

TOLERANCE_LU = 0.1
"""How far from the target the written file may be."""

LOOK_DB = 0.02
"""What the second look may read above the ceiling."""

CLEAN_DB = 2.0
"""Where no more than this is taken off the peaks, the limiter works alone."""

_AIM_LU = 0.09  # what ends the loop
_PASSES = 6
_MARGIN_DB = {"16": 0.004, "24": 0.0005, "32f": 0.0005}  # what rounding and dither may add to a peak


@dataclass(frozen=True)
class DeliverySpec:
    """What the loop aims at.

    Attributes:
        lufs: integrated loudness; None leaves the level as it is, but for the ceiling.
        ceiling_db: dBTP; None lets peaks go where they will.
        max_reduction_db: the most that the limiter may take off a peak; 0 caps the gain instead of limiting.
        settings: of the limiter.
        clip_db: the most that the clipper in front of it may take off short peaks; 0 leaves it out.
    """

    lufs: float | None
    ceiling_db: float | None
    max_reduction_db: float = 6.0
    settings: LimiterSettings = field(default_factory=LimiterSettings)
    clip_db: float = 0.0

    def clip_depth_db(self, peak_db: float) -> float:
        """Depth of the clipper where the highest peak is `peak_db`: what exceeds `CLEAN_DB` of reduction."""
        if self.ceiling_db is None or self.max_reduction_db <= 0.0:
            return 0.0
        return min(self.clip_db, max(peak_db - self.ceiling_db - CLEAN_DB, 0.0))


@dataclass(frozen=True)
class DeliveryResult:
    """What came of it.

    Attributes:
        readings: of the written samples.
        gain_db: broadband gain before the limiter.
        reduction_db: of the limiter, largest of every 100 ms, as positive numbers; empty without a limiter.
        limited_by: why the target was not reached: "reduction" (the limiter may take no more off the peaks),
            "peaks" (they are at the ceiling), "encoder" (they would pass it after an encoder); None where it was.
        passes: how often the song went through the limiter.
        clipped_samples: that did not fit into the integers of the file (with the ceiling off).
        peak_control_db: the most that the clipper of short peaks took off one; 0 without it.
        needed_reduction_db: about what the target takes off the highest peak; 0 without a limiter.
    """

    readings: Readings
    gain_db: float
    reduction_db: NDArray[np.float64]
    limited_by: Limit | None
    passes: int
    clipped_samples: int
    peak_control_db: float = 0.0
    needed_reduction_db: float = 0.0

    @property
    def max_reduction_db(self) -> float:
        """The most that the limiter took off; 0 without one."""
        return float(self.reduction_db.max()) if self.reduction_db.size else 0.0


def deliver(
    blocks: Callable[[], Iterator[Block]],
    before: LimiterForecast,
    spec: DeliverySpec,
    open_writer: Callable[[], AtomicWriter],
    keep: DiskBuffer | None = None,
) -> tuple[DeliveryResult, AtomicWriter]:
    """Write the song at its gain; gives the closed draft, which the caller commits.

    Args:
        blocks: starts the signal before the loudness stage from its beginning.
        before: its survey.
        spec: target and ceiling.
        open_writer: makes a fresh draft for each pass.
        keep: takes the samples of the last pass before they are rounded, for encoders.
    """
    readings = before.readings
    rate, channels = readings.sample_rate, len(readings.channel_power)
    highest, reason = _highest_gain(readings, spec, _MARGIN_DB["16"])
    gain_db, aim = _first_gain(before, spec)
    limited_by = reason if gain_db > highest else None
    wanted_db, gain_db = gain_db, min(gain_db, highest)
    lower_db = 0.0  # how far the limiter's threshold stays below the ceiling beyond the margin
    attempt = 0
    while True:
        attempt += 1
        writer = open_writer()
        limiter, clipper = None, None
        if spec.ceiling_db is not None and spec.max_reduction_db > 0.0:
            threshold_db = spec.ceiling_db - _MARGIN_DB[writer.form.bits] - lower_db
            limiter = LimiterStage(threshold_db, rate, channels, spec.settings)
            depth_db = spec.clip_depth_db(readings.true_peak_db + gain_db)
            if depth_db > 0.0:
                clipper = PeakControlStage(threshold_db, depth_db, rate, channels, spec.settings)
        stages = [stage for stage in (clipper, limiter) if stage is not None]
        try:
            look = None if spec.ceiling_db is None else WidePeakMeter(rate, channels, spec.ceiling_db)
            if keep is not None:
                keep.restart()
            written = _write(blocks(), gain_db, stages, writer, Meter(rate, channels), look, keep)
            writer.close()
        except BaseException:
            writer.abandon()
            raise
        over = -math.inf
        if spec.ceiling_db is not None and look is not None:
            over = max(written.true_peak_db, look.finish() - LOOK_DB) - spec.ceiling_db
        error = 0.0 if aim is None or not math.isfinite(written.lufs) else aim - written.lufs
        at_limit = gain_db >= highest - 1e-9 and error > 0.0
        if over <= 0.0 and (abs(error) <= _AIM_LU or at_limit):
            break
        if attempt >= _PASSES and over <= 0.0:
            break
        if attempt >= 3 * _PASSES:
            writer.abandon()
            raise InputError(
                f"a ceiling of {spec.ceiling_db:g} dBTP can't be kept at this resolution: use --bits 24"
            )
        if over > 0.0:
            lower_db += over + 0.002
            highest -= over + 0.002  # so that the limiter takes off no more than before
        if aim is not None and abs(error) > _AIM_LU:
            gain_db = _next_gain(before, spec, gain_db, written.lufs, aim)
        limited_by = reason if gain_db > highest else None
        wanted_db, gain_db = gain_db, min(gain_db, highest)
        writer.abandon()
    if aim is not None and limited_by is None and abs(error) > TOLERANCE_LU:
        limited_by = "peaks"
    reduction = limiter.reduction_db if limiter is not None else np.zeros(0)
    clipped_db = 0.0 if clipper is None else clipper.most_db
    needed_db = 0.0 if limiter is None else _reduction_db(before, spec, wanted_db)
    result = DeliveryResult(
        written, gain_db, reduction, limited_by, attempt, writer.clipped_samples, clipped_db, needed_db
    )
    return result, writer


def planned_gain_db(before: LimiterForecast, spec: DeliverySpec) -> float:
    """The gain with which the first pass of `deliver` would run, from the forecast alone."""
    gain_db, _ = _first_gain(before, spec)
    return min(gain_db, _highest_gain(before.readings, spec, _MARGIN_DB["24"])[0])


def _reduction_db(before: LimiterForecast, spec: DeliverySpec, gain_db: float) -> float:
    """What the highest peak has to lose at a gain."""
    return max(before.readings.true_peak_db + gain_db - (spec.ceiling_db or 0.0), 0.0)


def _write(
    blocks: Iterator[Block],
    gain_db: float,
    stages: Sequence[StreamStage],
    writer: AtomicWriter,
    meter: Meter,
    look: WidePeakMeter | None,
    keep: DiskBuffer | None,
) -> Readings:
    gain = db_to_gain(gain_db)
    scaled = (block if gain == 1.0 else block * gain for block in blocks)
    for block in prefetch(run_stages(stages, scaled)):
        if block.shape[1]:
            stored = writer.write(block)
            if keep is not None:
                keep.append(block)
            meter.push(stored)
            if look is not None:
                look.push(stored)
    return meter.finish()


def _highest_gain(readings: Readings, spec: DeliverySpec, margin_db: float) -> tuple[float, Limit | None]:
    """The gain that the ceiling and the permitted reduction allow, and the name of what stops it."""
    if spec.ceiling_db is None or not math.isfinite(readings.true_peak_db):
        return math.inf, None
    if spec.max_reduction_db > 0.0:
        return spec.ceiling_db + spec.max_reduction_db - readings.true_peak_db, "reduction"
    return spec.ceiling_db - margin_db - readings.true_peak_db, "peaks"


def _first_gain(before: LimiterForecast, spec: DeliverySpec) -> tuple[float, float | None]:
    """The gain to begin with, and the loudness to aim at, None where none can be measured."""
    if spec.lufs is None or not math.isfinite(before.readings.lufs):
        return 0.0, None
    gain_db = _solve(before, spec, spec.lufs)
    return _solve(before, spec, spec.lufs - _misjudged(before, spec, gain_db)), spec.lufs


def _misjudged(before: LimiterForecast, spec: DeliverySpec, gain_db: float) -> float:
    """By how many LU the prediction is too low, found by limiting the excerpts; 0 where there is no limiting."""
    if before.sample is None or spec.ceiling_db is None or spec.max_reduction_db <= 0.0:
        return 0.0
    excerpts, audio = before.sample
    rate = excerpts.readings.sample_rate
    if excerpts.readings.true_peak_db + gain_db <= spec.ceiling_db:
        return 0.0
    depth_db = spec.clip_depth_db(before.readings.true_peak_db + gain_db)
    predicted = excerpts.limited_lufs(gain_db, spec.ceiling_db, spec.settings, depth_db)
    meter = Meter(rate, len(audio), with_true_peak=False)
    stages: list[StreamStage] = [LimiterStage(spec.ceiling_db, rate, len(audio), spec.settings)]
    if depth_db > 0.0:
        stages.insert(0, PeakControlStage(spec.ceiling_db, depth_db, rate, len(audio), spec.settings))
    pieces = (
        audio[:, i : i + BLOCK_SAMPLES].astype(np.float64) * db_to_gain(gain_db)
        for i in range(0, audio.shape[1], BLOCK_SAMPLES)
    )
    for block in run_stages(stages, pieces):
        meter.push(block)
    error = meter.finish().lufs - predicted
    return error if math.isfinite(error) else 0.0


def _next_gain(before: LimiterForecast, spec: DeliverySpec, gain_db: float, lufs: float, aim: float) -> float:
    """Correct the prediction by its error at the gain that was tried."""
    predicted = _predicted(before, spec, gain_db)
    return _solve(before, spec, aim + predicted - lufs)


def _predicted(before: LimiterForecast, spec: DeliverySpec, gain_db: float) -> float:
    depth_db = spec.clip_depth_db(before.readings.true_peak_db + gain_db)
    return before.limited_lufs(gain_db, spec.ceiling_db, spec.settings, depth_db)


def _solve(before: LimiterForecast, spec: DeliverySpec, lufs: float) -> float:
    """The gain in dB for which the predicted loudness is `lufs`, by bisection."""
    plain = lufs - before.readings.lufs
    if spec.ceiling_db is None or spec.max_reduction_db <= 0.0:
        return plain
    low, high = plain, plain + 30.0
    if _predicted(before, spec, low) >= lufs:
        return low
    for _ in range(24):
        middle = 0.5 * (low + high)
        if _predicted(before, spec, middle) < lufs:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
