"""The report page of a master, filled from its numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import neural_mastering
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.metering.meter import HOP_MS, SHORT_TERM_MS
from neural_mastering.metering.profile import profile_of
from neural_mastering.notes import texts
from neural_mastering.rendering.delivery.codec_reading import CodecReading
from neural_mastering.rendering.outputs.curves import (
    LINE_POINTS,
    added,
    eq_curve,
    limiter_reductions,
    report_delivery,
    report_readings,
    stage_reductions,
)
from neural_mastering.rendering.outputs.numbers import as_json
from neural_mastering.rendering.outputs.tone import tone_report
from neural_mastering.rendering.result import MasterResult
from neural_mastering.reporting.audio_clip import LONGEST_S, clip_from_file, loudest_start_s
from neural_mastering.reporting.codec_section import CodecRow
from neural_mastering.reporting.master_data import MasterReport, Provenance
from neural_mastering.reporting.master_report import write_master_report
from neural_mastering.reporting.report_data import Chart, ChartLine, Clip
from neural_mastering.reporting.stereo_section import StereoRow


def write_report(result: MasterResult, song: MeasuredSong, folder: Path) -> Path:
    """Write report.html and report.json into a folder; returns the page's path."""
    return write_master_report(report_of(result, song), folder)


def report_of(result: MasterResult, song: MeasuredSong) -> MasterReport:
    """What the page shows, from the numbers of a master and the two files."""
    delivery, tone = result.delivery, result.tone
    duration_s = result.result.frames / result.result.sample_rate
    return MasterReport(
        title=result.source.stem,
        input=report_readings(result.input),
        output=report_readings(result.result),
        delivery=report_delivery(result),
        provenance=Provenance(
            source_file=result.source.name,
            output_file=result.output.name,
            sample_rate_hz=result.result.sample_rate,
            file_format=result.form.words,
            channels=len(result.result.channel_power),
            duration_s=duration_s,
            date=result.date,
            version=neural_mastering.__version__,
            model=None if tone.model is None else tone.model.label,
            references=() if tone.reference is None else tone.reference.names,
            further=_further(result),
        ),
        gain_db=result.controls.gain_db + delivery.gain_db,
        eq=eq_curve(result.controls, result.input.sample_rate),
        reductions=[*stage_reductions(result), *limiter_reductions(result)],
        added=added(result),
        short_term=_short_term(result),
        spectra=_spectra(result, song),
        controls=result.controls.as_dict(),
        tone=tone_report(tone),
        words=None if tone.words is None else tone.words.report(),
        reference=None if result.reference is None else result.reference.report(),
        stereo=_stereo(result),
        codecs=[_codec(codec) for codec in result.codecs],
        actions=texts(result.actions),
        warnings=texts(result.warnings),
        clips=_clips(result, song, duration_s),
        numbers=as_json(result),
    )


def _stereo(result: MasterResult) -> list[StereoRow]:
    bands = None if result.inspection is None else result.inspection.stereo
    if bands is None:
        return []
    rows = zip(CENTRES_HZ, bands.correlation, bands.fold_down_db, bands.heard, strict=True)
    return [StereoRow(float(hz), float(own), float(drop)) for hz, own, drop, heard in rows if heard]


def _codec(codec: CodecReading) -> CodecRow:
    return CodecRow(
        name=codec.encoding.title,
        sample_rate_hz=codec.readings.sample_rate,
        lufs=codec.readings.lufs,
        true_peak_db=codec.readings.true_peak_db,
        over_ceiling_db=codec.reading.over_db,
        clipped_samples=codec.reading.clipped_samples,
        promised=codec.promised,
        file=codec.file,
    )


def _further(result: MasterResult) -> dict[str, str]:
    """More lines on where the master comes from."""
    lines = {}
    if result.copies:
        lines["Also written"] = ", ".join(path.name for path in result.copies)
    listened = result.tone.model
    if listened is not None and listened.confidence is not None:
        found = listened.confidence
        lines["Confidence"] = (
            f"{100.0 * found.confidence:.0f} % of the model's equaliser is used: {found.windows} windows ask for "
            f"{found.move_db:.1f} dB in common and differ by {found.spread_db:.1f} dB"
        )
    if result.form.bits == "16":
        lines["Dither"] = "TPDF, once, to 16 bit"
    return lines


def _times(count: int) -> NDArray[np.float64]:
    return np.asarray((SHORT_TERM_MS + HOP_MS * np.arange(count)) / 1000.0, dtype=np.float64)


def _short_term(result: MasterResult) -> Chart | None:
    before, after = result.input.short_term_lufs, result.result.short_term_lufs
    count = min(before.size, after.size)
    if not count:
        return None
    pick = np.arange(0, count, math.ceil(count / LINE_POINTS))
    lines = [ChartLine("before", before[pick], "before"), ChartLine("master", after[pick], "result")]
    return Chart(_times(count)[pick], lines)


def _spectra(result: MasterResult, song: MeasuredSong) -> Chart | None:
    """Third octaves less the loudness of each, so that tone is compared and not level."""
    if not (math.isfinite(result.input.lufs) and math.isfinite(result.result.lufs)):
        return None
    before = profile_of(song.blocks(), song.sample_rate)
    with AudioReader(result.output) as written:
        after = profile_of(written.blocks(), written.sample_rate)
    if not (before.is_usable and after.is_usable):
        return None
    lines = [
        ChartLine("before", np.where(before.filled, before.levels_db, np.nan), "before"),
        ChartLine("master", np.where(after.filled, after.levels_db, np.nan), "result"),
    ]
    if result.tone.reference is not None:
        lines.append(ChartLine("reference", result.tone.reference.levels_db, "reference"))
    return Chart(CENTRES_HZ, lines)


def _clips(result: MasterResult, song: MeasuredSong, duration_s: float) -> list[Clip]:
    short = result.result.short_term_lufs
    start_s = loudest_start_s(_times(short.size), short, duration_s, LONGEST_S)
    return [
        clip_from_file(
            song.reader.readable_path, "before", "before", start_s + song.first_frame / song.sample_rate
        ),
        clip_from_file(result.output, "master", "result", start_s),
    ]
