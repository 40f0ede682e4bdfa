"""Loudness and ceiling: gain → limiter → file → meter, until the written file is on target and below it."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.disk_buffer import DiskBuffer
from neural_mastering.audio_io.prefetch import prefetch, read_beside
from neural_mastering.audio_io.writer import AtomicWriter
from neural_mastering.errors import InputError
from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.metering.meter import Meter, Readings
from neural_mastering.metering.wide_peak import WidePeakMeter
from neural_mastering.rendering.delivery.gain_search import GainSearch, limiting_stages
from neural_mastering.rendering.delivery.spec import DeliveryResult, DeliverySpec
from neural_mastering.rendering.delivery.target_need import TargetNeed, find_need
from neural_mastering.rendering.stages.base import StreamStage, run_beside
from neural_mastering.units import db_to_gain

TOLERANCE_LU = 0.1
"""How far from the target the written file may be."""

LOOK_DB = 0.02
"""What the second look may read above the ceiling."""

_AIM_LU = 0.09  # what ends the loop
_PASSES = 6
_MARGIN_DB = {"16": 0.004, "24": 0.0005, "32f": 0.0005}  # what rounding and dither may add to a peak


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
    search = GainSearch(before, spec, _MARGIN_DB["16"])
    lower_db = 0.0  # how far the limiter's threshold stays below the ceiling beyond the margin
    attempt = 0
    while True:
        attempt += 1
        writer = open_writer()
        threshold_db = (spec.ceiling_db or 0.0) - _MARGIN_DB[writer.form.bits] - lower_db
        peak_db = readings.true_peak_db + search.gain_db
        clipper, limiter = limiting_stages(spec, threshold_db, peak_db, rate, channels)
        stages = [stage for stage in (clipper, limiter) if stage is not None]
        try:
            look = None if spec.ceiling_db is None else WidePeakMeter(rate, channels, spec.ceiling_db)
            if keep is not None:
                keep.restart()
            written = _write(blocks(), search.gain_db, stages, writer, Meter(rate, channels), look, keep)
            writer.close()
        except BaseException:
            writer.abandon()
            raise
        over = -math.inf
        if spec.ceiling_db is not None and look is not None:
            over = max(written.true_peak_db, look.finish() - LOOK_DB) - spec.ceiling_db
        if over <= 0.0 and (attempt >= _PASSES or search.is_settled(written.lufs, _AIM_LU)):
            break
        writer.abandon()
        if attempt >= 3 * _PASSES:
            raise InputError(
                f"a ceiling of {spec.ceiling_db:g} dBTP can't be kept at this resolution: use --bits 24"
            )
        lowered_db = over + 0.002 if over > 0.0 else 0.0
        lower_db += lowered_db
        search.correct(written.lufs, _AIM_LU, lowered_db)
    limited_by = search.limited_by
    need = TargetNeed(search.needed_reduction_db, search.needed_loss_lu, is_reachable=True, density=0.0)
    if limited_by is not None and spec.limits and search.error_lu(written.lufs) > 0.0:
        need = find_need(blocks, before, replace(spec, ceiling_db=threshold_db), search.gain_db, written.lufs)
    if limited_by is None and abs(search.error_lu(written.lufs)) > TOLERANCE_LU:
        limited_by = "peaks"
    result = DeliveryResult(
        readings=written,
        gain_db=search.gain_db,
        reduction_db=limiter.reduction_db if limiter is not None else np.zeros(0),
        limited_by=limited_by,
        passes=attempt,
        clipped_samples=writer.clipped_samples,
        peak_control_db=0.0 if clipper is None else clipper.most_db,
        needed_reduction_db=need.reduction_db,
        loss_lu=search.loss_lu(written.lufs),
        needed_loss_lu=need.loss_lu,
        is_reachable=need.is_reachable,
        needed_density=need.density,
    )
    return result, writer


def planned_gain_db(before: LimiterForecast, spec: DeliverySpec) -> float:
    """The gain with which the first pass of `deliver` would run, from the forecast alone."""
    return GainSearch(before, spec, _MARGIN_DB["24"]).gain_db


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

    def stored() -> Iterator[Block]:
        for block in run_beside(stages, scaled) if stages else prefetch(scaled):
            if block.shape[1]:
                written = writer.write(block)
                if keep is not None:
                    keep.append(block)
                yield written

    for _ in read_beside(stored(), [meter] if look is None else [meter, look]):
        pass  # stages, file and meters each have a thread
    return meter.finish()
