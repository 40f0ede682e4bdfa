"""The report page of a master, filled from its numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neural_mastering.rendering.audio_reader import AudioReader
from neural_mastering.rendering.controls import ChainControls
from neural_mastering.rendering.extras import controls_as_dict
from neural_mastering.rendering.limiter_stage import POINT_MS
from neural_mastering.rendering.meter import HOP_MS, SHORT_TERM_MS, Readings
from neural_mastering.rendering.reference_profile import CENTRES_HZ, profile_of
from neural_mastering.rendering.spoken import words_report
from neural_mastering.rendering.stage_words import DYNAMICS, shown_name, stage_sentences
from neural_mastering.reporting.audio_clip import LONGEST_S, clip_from_file, loudest_start_s
from neural_mastering.reporting.master_data import (
    Delivery,
    MasterReport,
    Provenance,
    Reduction,
)
from neural_mastering.reporting.master_data import ReportReadings as Shown
from neural_mastering.reporting.master_report import write_master_report
from neural_mastering.reporting.report_data import Chart, ChartLine, Clip, EqCurve

if TYPE_CHECKING:
    from neural_mastering.rendering.mastering import MasterResult, Song

_POINTS = 240
_LINE_POINTS = 2000  # a line of more points is no finer on a page


def write_report(result: MasterResult, song: Song, folder: Path) -> Path:
    """Write report.html and report.json into a folder; returns the page's path."""
    return write_master_report(report_of(result, song), folder)


def report_of(result: MasterResult, song: Song) -> MasterReport:
    """What the page shows, from the numbers of a master and the two files."""
    from neural_mastering import __version__

    delivered, tone = result.delivered, result.tone
    duration_s = result.result.frames / result.result.sample_rate
    return MasterReport(
        title=result.source.stem,
        input=_shown(result.input),
        output=_shown(result.result),
        delivery=Delivery(
            result.target.name,
            result.target.lufs,
            result.target.ceiling_db,
            result.target.source,
            result.target.checked,
        ),
        provenance=Provenance(
            source_file=result.source.name,
            output_file=result.output.name,
            sample_rate_hz=result.result.sample_rate,
            bits=result.form.bits.replace("32f", "32 float"),
            file_format=result.form.container,
            channels=len(result.result.channel_power),
            duration_s=duration_s,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            version=__version__,
            model=tone.name if tone is not None else None,
            references=tone.reference_names if tone is not None else (),
            further=_further(result),
        ),
        gain_db=result.controls.gain_db + delivered.gain_db,
        eq=eq_curve(result.controls, result.input.sample_rate),
        reductions=[*_stage_reductions(result), *_reductions(delivered.reduction_db)],
        saturation=_saturation(result),
        short_term=_short_term(result),
        spectra=_spectra(result, song),
        controls=controls_as_dict(result.controls),
        words=None if result.words is None else words_report(result.words),
        did=[
            *([tone.origin, *tone.sentences] if tone is not None else []),
            *(result.words.sentences if result.words is not None else []),
            *stage_sentences(result.stages, with_reduction=False),
        ],
        warnings=result.warnings,
        clips=_clips(result, song, duration_s),
    )


def eq_curve(controls: ChainControls, sample_rate: int) -> EqCurve | None:
    """The equaliser's response as it is rendered at the song's rate; None without bands."""
    if not controls.eq:
        return None
    at_hz = np.geomspace(20.0, min(20_000.0, 0.49 * sample_rate), _POINTS)
    total_db = _response_db(controls.eq_sections(sample_rate), at_hz, sample_rate)
    each = [
        _response_db(replace(controls, eq=(band,)).eq_sections(sample_rate), at_hz, sample_rate)
        for band in controls.eq
    ]
    return EqCurve(at_hz, total_db, controls.eq, np.array(each))


def _response_db(sections: NDArray[np.float64], at_hz: NDArray[np.float64], sample_rate: int) -> ArrayLike:
    z = np.exp(-2j * np.pi * at_hz / sample_rate)
    powers = np.stack([np.ones_like(z), z, z * z])
    return 20.0 * np.log10(np.abs(np.prod((sections[:, :3] @ powers) / (sections[:, 3:] @ powers), axis=0)))


def _further(result: MasterResult) -> dict[str, str]:
    """More lines on where the master comes from."""
    lines = {}
    trust = result.tone.trust if result.tone is not None else None
    if trust is not None:
        lines["Confidence"] = (
            f"{100.0 * trust.confidence:.0f} % of the model's equaliser is used: {trust.windows} windows ask for "
            f"{trust.move_db:.1f} dB in common and differ by {trust.spread_db:.1f} dB"
        )
    if result.form.bits == "16":
        lines["Dither"] = "TPDF, once, to 16 bit"
    return lines


def _shown(readings: Readings) -> Shown:
    numbers = readings.summary()
    return Shown(**{name: numbers[name] for name in Shown.__dataclass_fields__})


def _stage_reductions(result: MasterResult) -> list[Reduction]:
    """Of the dynamics of the grey-box chain that ran."""
    found = []
    for record in result.stages:
        if record.name in DYNAMICS and record.reduction_db.size:
            step = math.ceil(record.reduction_db.size / _LINE_POINTS)
            coarse = np.maximum.reduceat(record.reduction_db, np.arange(0, record.reduction_db.size, step))
            found.append(Reduction(shown_name(record.name), record.time_s[::step], coarse))
    return found


def _saturation(result: MasterResult) -> Chart | None:
    record = next((r for r in result.stages if r.name == "saturation" and r.added_db.size), None)
    if record is None:
        return None
    step = math.ceil(record.added_db.size / _LINE_POINTS)
    loudest = np.maximum.reduceat(record.added_db, np.arange(0, record.added_db.size, step))
    heard = np.where(loudest > -120.0, loudest, np.nan)
    return Chart(record.time_s[::step], [ChartLine("saturation", heard)])


def _reductions(reduction_db: NDArray[np.float64]) -> list[Reduction]:
    if not reduction_db.size or reduction_db.max() <= 0.0:
        return []
    step = math.ceil(reduction_db.size / _LINE_POINTS)
    coarse = np.maximum.reduceat(reduction_db, np.arange(0, reduction_db.size, step))
    return [Reduction("limiter", np.arange(coarse.size) * step * POINT_MS / 1000.0, coarse)]


def _times(count: int) -> NDArray[np.float64]:
    return np.asarray((SHORT_TERM_MS + HOP_MS * np.arange(count)) / 1000.0, dtype=np.float64)


def _short_term(result: MasterResult) -> Chart | None:
    before, after = result.input.short_term_lufs, result.result.short_term_lufs
    count = min(before.size, after.size)
    if not count:
        return None
    pick = np.arange(0, count, math.ceil(count / _LINE_POINTS))
    lines = [ChartLine("before", before[pick], "before"), ChartLine("master", after[pick], "result")]
    return Chart(_times(count)[pick], lines)


def _spectra(result: MasterResult, song: Song) -> Chart | None:
    """Third octaves less the loudness of each, so that tone is compared and not level."""
    if not (math.isfinite(result.input.lufs) and math.isfinite(result.result.lufs)):
        return None
    before = profile_of(song.reader.blocks(), song.reader.sample_rate)
    with AudioReader(result.output) as written:
        after = profile_of(written.blocks(), written.sample_rate)
    if not (before.is_usable and after.is_usable):
        return None
    lines = [
        ChartLine("before", np.where(before.filled, before.levels_db, np.nan), "before"),
        ChartLine("master", np.where(after.filled, after.levels_db, np.nan), "result"),
    ]
    if result.tone is not None and result.tone.reference_levels_db is not None:
        lines.append(ChartLine("reference", result.tone.reference_levels_db, "reference"))
    return Chart(CENTRES_HZ, lines)


def _clips(result: MasterResult, song: Song, duration_s: float) -> list[Clip]:
    short = result.result.short_term_lufs
    start_s = loudest_start_s(_times(short.size), short, duration_s, LONGEST_S)
    return [
        clip_from_file(song.reader.readable_path, "before", "before", start_s),
        clip_from_file(result.output, "master", "result", start_s),
    ]
