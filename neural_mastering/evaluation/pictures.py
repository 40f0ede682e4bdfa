"""Draws an evaluation's pictures into a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_mastering.data.manifest import song_key
from neural_mastering.evaluation.controls_trace import CURVE_HZ
from neural_mastering.evaluation.eq_statistics import band_statistics, bands_by_song, open_share_by_group
from neural_mastering.evaluation.plan import ModelRow
from neural_mastering.evaluation.recovery import TrueCorrection
from neural_mastering.evaluation.song_result import SongResult
from neural_mastering.evaluation.song_systems import SongSystem
from neural_mastering.evaluation.summary import Summary
from neural_mastering.metrics.suite import MATCHED, info_of
from neural_mastering.reporting.eval_plots import Panel, band_usage, eq_curve_quantiles, metric_distributions

SHOWN = (
    "mr_stft" + MATCHED,
    "mel_distance" + MATCHED,
    "ltas_error" + MATCHED,
    "a_weighted_error" + MATCHED,
    "lufs_error",
    "plr_error",
)
_DPI = 130


@dataclass(frozen=True)
class Drawn:
    """A picture on disk."""

    file: Path
    title: str
    alt: str
    caption: str


def draw_pictures(
    folder: Path,
    rows: Sequence[ModelRow],
    results: Sequence[SongResult],
    summary: Summary,
    systems: Sequence[SongSystem],
    truths: Mapping[str, TrueCorrection],
    grouped: bool,
) -> list[Drawn]:
    """EQ curves, distributions of metrics and use of the bands, for each model."""
    drawn = []
    for row, stem in zip(rows, stems(rows), strict=True):
        drawn += _eq_curve(folder, row, stem, results, truths)
        drawn.append(_distributions(folder, row, stem, rows, summary, systems))
        drawn += _bands(folder, row, stem, results, grouped)
    return drawn


def stems(rows: Sequence[ModelRow]) -> list[str]:
    """Beginnings of file names: `phase_1A`, and the model's key behind it where a phase comes twice."""
    phases = [row.run.phase for row in rows]
    return [
        f"phase_{row.run.phase}" + (f"_{row.key}" if phases.count(row.run.phase) > 1 else "") for row in rows
    ]


def _eq_curve(
    folder: Path,
    row: ModelRow,
    stem: str,
    results: Sequence[SongResult],
    truths: Mapping[str, TrueCorrection],
) -> list[Drawn]:
    with_curve = [r for r in results if row.key in r.traces]
    if not with_curve:
        return []
    curves = np.stack([r.traces[row.key].curve_db for r in with_curve])
    known = [truths[song_key(r.name)].curve_db for r in with_curve if song_key(r.name) in truths]
    wanted = np.stack(known) if len(known) == len(with_curve) else None
    title = f"{row.name}: equaliser over {len(curves)} songs"
    file = folder / f"{stem}_eq_curve.png"
    eq_curve_quantiles(CURVE_HZ, curves, title, wanted).savefig(file, dpi=_DPI)
    caption = (
        "Mean and quantiles of the songs' total responses, broadband gain left out; single songs behind."
    )
    if wanted is not None:
        caption += " Dashed: the mean of the true corrections, moved to the same mean level."
    return [Drawn(file, title, "Gain in dB over frequency", caption)]


def _distributions(
    folder: Path,
    row: ModelRow,
    stem: str,
    rows: Sequence[ModelRow],
    summary: Summary,
    systems: Sequence[SongSystem],
) -> Drawn:
    others = {other.key for other in rows} - {row.key}
    shown = [system for system in systems if system.key not in others]
    panels = []
    for column in SHOWN:
        info = info_of(column)
        scores = {system.name: summary.scores[system.key, column] for system in shown}
        unit = f" in {info.unit}" if info.unit else ""
        panels.append(
            Panel(
                f"{info.name}{unit}" + (", loudness matched" if column.endswith(MATCHED) else ""),
                {name: score.values for name, score in scores.items()},
                {name: (score.value.low, score.value.high) for name, score in scores.items()},
                "higher" if info.higher_is_better else "lower",
            )
        )
    title = f"{row.name} and baselines: {summary.songs} songs in {summary.groups} groups"
    file = folder / f"{stem}_metrics.png"
    metric_distributions(panels, [row.name], title).savefig(file, dpi=_DPI)
    caption = (
        "Dots are songs, the large dot is their mean, the bar its 95 % cluster-bootstrap interval over groups. "
        "* told the target's own loudness."
    )
    return Drawn(file, title, "Distributions of six metrics over songs by system", caption)


def _bands(
    folder: Path, row: ModelRow, stem: str, results: Sequence[SongResult], grouped: bool
) -> list[Drawn]:
    songs = bands_by_song(results, row.key)
    if not songs or all(band.probability == 1.0 for bands in songs for band in bands):
        return []  # bands that are always on have nothing to show
    statistics = band_statistics(songs)
    labels = [_label(s.number, s.kind, s.frequency_hz[2], songs) for s in statistics]
    groups, shares = open_share_by_group(results, row.key) if grouped else ([], None)
    title = f"{row.name}: bands of the equaliser over {len(songs)} songs"
    file = folder / f"{stem}_bands.png"
    counts = [sum(band.is_open for band in bands) for bands in songs]
    share = np.array([s.open_share for s in statistics])
    held = np.array([s.held_songs / s.songs for s in statistics])
    band_usage(labels, share, counts, title, groups, shares, held).savefig(file, dpi=_DPI)
    caption = (
        "Labels are median frequencies over the songs in which the band is open, of a band that never is over all. "
        "Hatched: songs in which it is open only to reach the least number of bands."
    )
    return [Drawn(file, title, "Share of songs with each band open", caption)]


def _label(number: int, kind: str, frequency_hz: float, songs: Sequence[Sequence]) -> str:
    if not np.isfinite(frequency_hz):  # never open: where it would be
        frequency_hz = float(np.median([bands[number - 1].frequency_hz for bands in songs]))
    at = f"{frequency_hz:.0f} Hz" if frequency_hz < 1e3 else f"{frequency_hz / 1e3:.1f} kHz"
    return at if kind == "peak" else f"{kind.replace('_', ' ')} {at}"
