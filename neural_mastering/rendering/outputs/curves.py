"""What a master draws and says from its records: the equaliser's curve, gain reduction, what stages added."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from neural_mastering.controls import Bands, ChainControls, stage_spec
from neural_mastering.controls.catalogue import Effect
from neural_mastering.dsp.sections import sections_level_db
from neural_mastering.metering.meter import Readings
from neural_mastering.rendering.result import MasterResult
from neural_mastering.rendering.stages.record import POINT_MS, SILENT_DB, StageRecord
from neural_mastering.reporting.master_data import Delivery, Reduction, ReportReadings
from neural_mastering.reporting.report_data import Chart, ChartLine, EqCurve

LINE_POINTS = 2000
"""Most points of a line: more are no finer on a page."""

_EQ_POINTS = 240


def eq_curve(controls: ChainControls, sample_rate: int) -> EqCurve | None:
    """The equaliser's response as it is rendered at the song's rate; None without bands."""
    bands = controls.eq
    if not len(bands):
        return None
    at_hz = np.geomspace(20.0, min(20_000.0, 0.49 * sample_rate), _EQ_POINTS)

    def response_db(of: Bands) -> NDArray[np.float64]:
        return sections_level_db(of.sections(controls.design_rate_hz, sample_rate), at_hz, sample_rate)

    each = np.array([response_db(bands.only([i])) for i in range(len(bands))])
    return EqCurve(at_hz, response_db(bands), tuple(bands), each)


def report_readings(readings: Readings) -> ReportReadings:
    """Readings as the report has them."""
    numbers = readings.summary()
    return ReportReadings(**{name: numbers[name] for name in ReportReadings.__dataclass_fields__})


def report_delivery(result: MasterResult) -> Delivery:
    """The loudness and ceiling asked for, as the report has them."""
    target, aimed = result.target, result.spec.lufs
    if aimed is None or target.lufs is None or abs(aimed - target.lufs) < 1e-6:
        aimed = None
    return Delivery(target.name, target.lufs, target.ceiling_db, target.source, target.checked, aimed)


def stage_reductions(result: MasterResult) -> list[Reduction]:
    """Gain reduction of the chain's own dynamics."""
    return [
        Reduction(stage_spec(record.name).title, *_coarse(record.time_s, record.reduction_db))
        for record in _measured_by(result, "reduction")
        if record.reduction_db.size
    ]


def limiter_reductions(result: MasterResult) -> list[Reduction]:
    """Gain reduction of the delivery's limiter; empty where it had nothing to do."""
    delivery = result.delivery
    if delivery.max_reduction_db <= 0.0:
        return []
    time_s = np.arange(delivery.reduction_db.size, dtype=np.float64) * np.float64(POINT_MS / 1000.0)
    return [Reduction("limiter", *_coarse(time_s, delivery.reduction_db))]


def added(result: MasterResult) -> Chart | None:
    """What stages such as saturation add to the signal; None where there is no such stage."""
    lines = []
    for record in _measured_by(result, "added"):
        if record.added_db.size:
            time_s, loudest_db = _coarse(record.time_s, record.added_db)
            audible_db = np.where(loudest_db > SILENT_DB, loudest_db, np.nan)
            lines.append(ChartLine(stage_spec(record.name).title, audible_db, at=time_s))
    return Chart(lines[0].at, lines) if lines and lines[0].at is not None else None


def _measured_by(result: MasterResult, effect: Effect) -> list[StageRecord]:
    return [
        record for record in result.stages if record.settings and stage_spec(record.name).effect == effect
    ]


def _coarse(
    time_s: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most `LINE_POINTS` points, each the largest of its stretch."""
    step = math.ceil(values.size / LINE_POINTS)
    return time_s[::step], np.maximum.reduceat(values, np.arange(0, values.size, step))
