"""Tables of a report: bands of the equaliser, and what each part of a model does."""

import math

import numpy as np

from neural_mastering.evaluation.ablations import ABLATION_NAMES
from neural_mastering.evaluation.eq_statistics import band_statistics, bands_by_song
from neural_mastering.evaluation.outcome import Evaluation
from neural_mastering.evaluation.statistics import SongStatistic
from neural_mastering.metrics.suite import MATCHED, info_of
from neural_mastering.reporting.markup import number
from neural_mastering.reporting.report_data import Table


def band_tables(e: Evaluation) -> list[Table]:
    """How often each band of a model is open, and how far it moves."""
    tables = []
    for model in e.plan.models:
        statistics = band_statistics(bands_by_song(e.results, model.key))
        if not statistics:
            continue
        rows = [
            [
                f"{s.number} {s.kind.replace('_', ' ')}",
                f"{s.open_songs}/{s.songs}",
                s.held_songs,
                *(
                    _with_range(spread, digits)
                    for spread, digits in ((s.frequency_hz, 0), (s.gain_db, 1), (s.q, 2))
                ),
                s.gain_db[0],
            ]
            for s in statistics
        ]
        columns = ["band", "open in songs", "held open", "frequency (Hz)", "gain (dB)", "Q", "mean gain (dB)"]
        caption = (
            "Over the songs in which a band is open: median, in brackets 10th to 90th percentile. Held open: open "
            "only to reach the least number of bands."
        )
        tables.append(Table(f"{model.name}: bands of the equaliser", columns, rows, caption))
    return tables


def part_tables(e: Evaluation) -> list[Table]:
    """What each part of a model does: the scores without it."""
    tables = []
    shares = {
        m.key: [r.residual_share_db[m.key] for r in e.results if m.key in r.residual_share_db]
        for m in e.plan.models
    }
    rows: list[list[str | float | int | None]] = [
        [m.name, float(np.mean(shares[m.key])), float(np.min(shares[m.key])), float(np.max(shares[m.key]))]
        for m in e.plan.models
        if shares[m.key]
    ]
    if rows:
        columns = ["model", "mean over songs (dB)", "least (dB)", "most (dB)"]
        caption = (
            "Energy of what the neural residual adds over the energy of the output; −20 dB is a hundredth."
        )
        tables.append(Table("Energy share of the residual", columns, rows, caption, digits=1))
    for model in e.plan.models:
        part = [row for row in e.ablations if row.model == model.key]
        if not part:
            continue
        shown = list(part[0].values)
        columns = ["change", *(f"{_heading(c)}" for c in shown)]
        whole = [e.whole.scores[model.key, c].value.mean for c in shown]
        rows = [["the whole model", *whole]]
        for row in part:
            cells = [_change(row.values[c], row.differences[c], info_of(c).digits) for c in shown]
            rows.append([ABLATION_NAMES.get(row.ablation, row.ablation.replace("_", " ")), *cells])
        caption = (
            "Mean over songs; in brackets the paired change against the whole model with its 95 % interval. A "
            "change that makes nothing worse took out a part that does nothing."
        )
        tables.append(
            Table(f"{model.name}: what each part does", columns, rows, caption, digits=3, highlight=[0])
        )
    return tables


def _change(value: SongStatistic, difference: SongStatistic, digits: int) -> str:
    text = f"{number(value.mean, digits)} ({number(difference.mean, digits, signed=True)}"
    if math.isfinite(difference.low):
        ends = (number(end, digits, signed=True) for end in (difference.low, difference.high))
        text += f", {' to '.join(ends)}"
    return text + ")"


def _heading(column: str) -> str:
    info = info_of(column)
    unit = f" ({info.unit})" if info.unit else ""
    return info.name + (", matched" if column.endswith(MATCHED) else "") + unit


def _with_range(spread: tuple[float, float, float, float], digits: int) -> str:
    if not math.isfinite(spread[2]):
        return "–"
    low, middle, high = (number(value, digits) for value in spread[1:])
    return f"{middle} ({low} to {high})"
