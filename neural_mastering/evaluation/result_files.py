"""metrics.json, metrics.csv and the other tables of an evaluation."""

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neural_mastering.atomic import replacing, write_text
from neural_mastering.evaluation.eq_statistics import BandStatistics
from neural_mastering.evaluation.song_result import Scores, SongResult
from neural_mastering.evaluation.song_systems import SongSystem
from neural_mastering.evaluation.statistics import SongStatistic
from neural_mastering.evaluation.summary import EXTRA_COLUMNS, AblationRow, Summary
from neural_mastering.metrics.suite import INFOS, columns

_QUANTILES = ("mean", "p10", "median", "p90")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """JSON without NaN: what is not known is null."""
    write_text(path, json.dumps(_plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_scores(
    path: Path, results: Sequence[SongResult], systems: Sequence[SongSystem], segments: bool
) -> None:
    """One row a song and system, every column of the suite; whole songs, or means over fixed segments."""
    stereo = any(result.channels == 2 for result in results)
    header = ["song", "group", "system", "name", "kind", "duration_s"]
    header += [*columns(stereo), *EXTRA_COLUMNS]
    rows = []
    for result in results:
        scores: Mapping[str, Scores] = result.segments if segments else result.whole
        for system in systems:
            if system.key in scores:
                first = (result.name, result.group, system.key, system.name, system.kind)
                values = (scores[system.key].get(column, math.nan) for column in header[6:])
                rows.append((*first, f"{result.duration_s:.3f}", *map(_number, values)))
    _write(path, header, rows)


def write_bands(path: Path, statistics: Mapping[str, Sequence[BandStatistics]]) -> None:
    """Statistics of each model's bands."""
    header = ["system", "band", "kind", "songs", "open_songs", "open_share", "held_songs", "open_probability"]
    header += [f"{name}_{q}" for name in ("gain_db", "frequency_hz", "q") for q in _QUANTILES]
    rows = []
    for model, bands in statistics.items():
        for s in bands:
            first = (model, s.number, s.kind, s.songs, s.open_songs, _number(s.open_share), s.held_songs)
            spreads = (_number(value) for part in (s.gain_db, s.frequency_hz, s.q) for value in part)
            rows.append((*first, _number(s.probability), *spreads))
    _write(path, header, rows)


def write_controls(path: Path, results: Sequence[SongResult]) -> None:
    """Every song's bands, one row a song, model and band."""
    header = ["song", "group", "system", "broadband_gain_db", "band", "kind", "frequency_hz", "gain_db", "q"]
    header += ["open", "open_probability", "held"]
    rows = [
        (
            *(result.name, result.group, key, _number(trace.gain_db), band.number, band.kind),
            *(_number(band.frequency_hz), _number(band.gain_db), _number(band.q)),
            *(int(band.is_open), _number(band.probability), int(band.held)),
        )
        for result in results
        for key, trace in result.traces.items()
        for band in trace.bands
    ]
    _write(path, header, rows)


def write_recovery(path: Path, results: Sequence[SongResult]) -> None:
    """Errors against the true corrections, one row a song and system."""
    header = ["song", "group", "system", "curve_rms_db", "gain_error_db", "width_error_db"]
    rows = [
        (result.name, result.group, key, *map(_number, asdict(errors).values()))
        for result in results
        for key, errors in result.recovery.items()
    ]
    _write(path, header, rows)


def summary_content(summary: Summary, systems: Sequence[SongSystem]) -> dict[str, Any]:
    """A summary for JSON: system → column → numbers."""
    return {
        "songs": summary.songs,
        "groups": summary.groups,
        "best_baseline": dict(summary.best_baseline),
        "systems": {
            system.key: {
                column: {
                    **asdict(score.value),
                    "difference_to_best_baseline": None
                    if score.difference is None
                    else asdict(score.difference),
                    "songs_improved": score.improved,
                }
                for (key, column), score in summary.scores.items()
                if key == system.key
            }
            for system in systems
        },
    }


def ablation_content(rows: Sequence[AblationRow]) -> list[dict[str, Any]]:
    """Ablation rows for JSON."""

    def numbers(part: Mapping[str, SongStatistic]) -> dict[str, Any]:
        return {column: asdict(value) for column, value in part.items()}

    return [
        {
            "model": row.model,
            "ablation": row.ablation,
            "values": numbers(row.values),
            "differences_to_model": numbers(row.differences),
        }
        for row in rows
    ]


def metric_content() -> dict[str, Any]:
    """What the columns mean."""
    return {key: asdict(info) for key, info in INFOS.items()}


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with replacing(path) as draft, draft.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _number(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
