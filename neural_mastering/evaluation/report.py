"""Fills the page that shows an evaluation."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from neural_mastering.dsp.ltas import third_octave_centres_hz
from neural_mastering.evaluation.envelopes import level_differences_db
from neural_mastering.evaluation.findings import findings
from neural_mastering.evaluation.measure_song import BEFORE, SHORT_TERM_START_S, TARGET
from neural_mastering.evaluation.outcome import Evaluation
from neural_mastering.evaluation.pictures import Drawn
from neural_mastering.evaluation.recovery_table import recovery_table
from neural_mastering.evaluation.report_tables import band_tables, part_tables
from neural_mastering.evaluation.song_result import SongResult
from neural_mastering.evaluation.song_systems import SongSystem
from neural_mastering.evaluation.summary import Score, Summary
from neural_mastering.metrics.suite import MATCHED, MID_SIDE, info_of
from neural_mastering.reporting.eval_report import (
    Applied,
    Cell,
    EvalReport,
    Metric,
    SongEntry,
    SummaryTable,
    SystemEntry,
    write_eval_report,
)
from neural_mastering.reporting.markup import number
from neural_mastering.reporting.report_data import Chart, ChartLine, Clip, Picture, Role

SONG_COLUMNS = (
    "mr_stft_matched",
    "ltas_error_matched",
    "lufs_error",
    "plr_error",
    "true_peak",
    "snr_matched",
)


def write_report(folder: Path, evaluation: Evaluation, drawn: Sequence[Drawn]) -> Path:
    """Write report.html into `folder`; the pictures must lie there already."""
    e = evaluation
    report = EvalReport(
        title=_title(e),
        systems=[SystemEntry(s.key, s.name, s.kind, s.note) for s in e.systems],
        tables=_tables(e),
        song_count=len(e.results),
        songs=(_song(e, result) for result in e.results),
        song_metrics=[_metric(c) for c in SONG_COLUMNS if (e.systems[0].key, c) in e.whole.scores],
        facts=e.facts,
        findings=findings(e.systems, e.whole, e.ablations),
        pictures=[Picture(d.title, d.file, d.alt, d.caption) for d in drawn],
        band_tables=band_tables(e),
        part_tables=part_tables(e),
        recovery_tables=recovery_table(e.results, e.systems),
        warnings=e.warnings,
    )
    return write_eval_report(report, folder)


def _title(e: Evaluation) -> str:
    names = [model.name for model in e.plan.models] or list(e.plan.outside)
    return f"Evaluation: {', '.join(names)} on {e.chosen.folder} ({e.chosen.split})"


def _tables(e: Evaluation) -> list[SummaryTable]:
    tables = [
        _table("Whole songs, loudness matched", e.whole, e.systems, MATCHED, ""),
        _table("Whole songs, as rendered", e.whole, e.systems, "", ""),
        _table("Whole songs, mid and side, loudness matched", e.whole, e.systems, MATCHED, MID_SIDE),
        _table("Whole songs, mid and side, as rendered", e.whole, e.systems, "", MID_SIDE),
    ]
    if e.segments is not None:
        tables += [
            _table("Fixed segments, loudness matched", e.segments, e.systems, MATCHED, ""),
            _table("Fixed segments, as rendered", e.segments, e.systems, "", ""),
        ]
    return [table for table in tables if table.metrics]


def _table(
    title: str, summary: Summary, systems: Sequence[SongSystem], suffix: str, pair: str
) -> SummaryTable:
    ending = pair + suffix
    names = list(dict.fromkeys(column for _, column in summary.scores))
    shown = [c for c in names if c == info_of(c).key + ending]
    if suffix:
        # after matching, the loudness error of the programme is 0 by definition; what no gain changes stays
        shown = [c for c in shown if c != "lufs_error" + MATCHED]
        free = [info_of(c).key + pair for c in names if not info_of(c).level_dependent]
        shown += [c for c in dict.fromkeys(free) if c in names]
    if title.startswith("Fixed"):
        shown = [c for c in shown if not c.startswith("lra_error")]
    by_key = {system.key: system.name for system in systems}
    caption = (
        "Mean over songs, each song counting once, with the 95 % interval of a cluster bootstrap over "
        "groups. * told the target's own loudness."
    )
    if suffix:
        caption += (
            " Every result is brought to its target's loudness first: level is no part of these numbers."
        )
        caption += " “loudness only” equals the identity here, by construction."
    if pair:
        caption += " Mid and side are measured by themselves; levels and ratios are means of the two."
    cells = {
        (system.key, column): _cell(summary.scores[system.key, column])
        for system in systems
        for column in shown
    }
    return SummaryTable(
        title=title,
        metrics=[_metric(column) for column in shown],
        cells=cells,
        groups=summary.groups,
        songs=summary.songs,
        best_baseline={c: by_key[summary.best_baseline[c]] for c in shown if c in summary.best_baseline},
        caption=caption,
    )


def _metric(column: str) -> Metric:
    info = info_of(column)
    name = info.name + (" M/S" if column.removesuffix(MATCHED).endswith(MID_SIDE) else "")
    name += " (matched)" if column.endswith(MATCHED) else ""
    return Metric(column, name, info.unit, info.higher_is_better, info.description, info.digits)


def _cell(score: Score) -> Cell:
    value, difference = score.value, score.difference
    return Cell(
        mean=value.mean,
        median=value.median,
        low=value.low,
        high=value.high,
        difference=None if difference is None else difference.mean,
        difference_low=None if difference is None else difference.low,
        difference_high=None if difference is None else difference.high,
        improved=score.improved,
        songs=value.songs,
        distribution=[v for v in score.values if math.isfinite(v)],
    )


def _song(e: Evaluation, result: SongResult) -> SongEntry:
    kinds = {system.key: system for system in e.systems if system.key in result.whole}
    sources = [BEFORE, TARGET, *(key for key in kinds if key != "identity")]
    centres = third_octave_centres_hz().numpy()
    seconds = SHORT_TERM_START_S + np.arange(len(result.short_term[TARGET]))
    notes = [
        f"{kinds[key].name}: {number(scores['delay_samples'], 2, signed=True)} samples late against the target, "
        "aligned for the SNR."
        for key, scores in result.whole.items()
        if key in kinds and abs(scores["delay_samples"]) >= 1.0
    ]
    notes += [f"{_name(kinds, e, key)}: {reason}." for key, reason in result.skipped.items()]
    if result.name in e.chosen.trained_on:
        notes.append("A model of this evaluation was trained on this song.")

    def lines(values: Mapping[str, np.ndarray]) -> list[ChartLine]:
        return [ChartLine(_name(kinds, e, s), values[s], _role(kinds, s)) for s in sources if s in values]

    return SongEntry(
        name=result.name,
        group=result.group if e.chosen.grouped else "",
        metrics={
            key: {c: scores[c] for c in SONG_COLUMNS if c in scores}
            for key, scores in result.whole.items()
            if key in kinds
        },
        spectra=Chart(centres, lines(result.third_octaves)),
        short_term=Chart(seconds, lines(result.short_term)) if len(seconds) > 1 else None,
        level_against=_level_against(e, result, kinds, sources),
        applied=[
            Applied(key, trace.eq_curve(), trace.words(), trace.numbers())
            for key, trace in result.traces.items()
            if key in kinds and key not in ("identity", "loudness")
        ],
        clips=_clips(e, result, kinds, sources),
        notes=notes,
    )


def _level_against(
    e: Evaluation, result: SongResult, kinds: dict[str, SongSystem], sources: list[str]
) -> Chart | None:
    if result.excerpt is None or TARGET not in result.excerpt.files:
        return None
    excerpts = {source: np.load(path) for source, path in result.excerpt.files.items()}
    at_s, found = level_differences_db(excerpts, TARGET, e.plan.sample_rate)
    heard = [source for source in sources if source in found and source != "loudness"]
    lines = [ChartLine(_name(kinds, e, source), found[source], _role(kinds, source)) for source in heard]
    return Chart(at_s, lines) if lines else None


def _clips(e: Evaluation, result: SongResult, kinds: dict[str, SongSystem], sources: list[str]) -> list[Clip]:
    if result.excerpt is None:
        return []
    # at one loudness, which the page brings all clips to, "loudness only" is the input again
    heard = [source for source in sources if source != "loudness" and source in result.excerpt.files]
    return [
        Clip(
            _name(kinds, e, source),
            np.load(result.excerpt.files[source]),
            e.plan.sample_rate,
            _role(kinds, source),
            result.excerpt.start_s,
        )
        for source in heard
    ]


def _name(kinds: dict[str, SongSystem], e: Evaluation, source: str) -> str:
    if source in (BEFORE, TARGET):
        return source
    return next((system.name for system in e.systems if system.key == source), source)


def _role(kinds: dict[str, SongSystem], source: str) -> Role:
    if source in (BEFORE, TARGET):
        return source
    return {"oracle": "oracle", "model": "result"}.get(kinds[source].kind, "reference")  # type: ignore[return-value]
