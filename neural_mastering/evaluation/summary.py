"""From songs' scores to rows: means with intervals, differences to the best baseline, songs improved."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neural_mastering.evaluation.song_result import Scores, SongResult
from neural_mastering.evaluation.song_systems import SongSystem
from neural_mastering.evaluation.statistics import SongStatistic, estimate
from neural_mastering.metrics.suite import columns, info_of

BASELINES = ("identity", "baseline")
EXTRA_COLUMNS = ("delay_samples", "match_gain_db")
_TINY = 1e-6


@dataclass(frozen=True)
class Score:
    """One system in one column.

    Attributes:
        value: over songs.
        difference: paired, to the best baseline; None for that baseline, or where no direction is better.
        improved: songs better than the identity; None for the identity, or where no direction is better.
        values: by song, NaN where there is none; in the order of the results.
    """

    value: SongStatistic
    difference: SongStatistic | None
    improved: int | None
    values: tuple[float, ...]


@dataclass(frozen=True)
class Summary:
    """Systems × columns over the same songs.

    Attributes:
        scores: (system key, column) → score.
        best_baseline: column → key of the baseline with the best mean.
        songs, groups: how many.
    """

    scores: Mapping[tuple[str, str], Score]
    best_baseline: Mapping[str, str]
    songs: int
    groups: int


def summarise(
    scores: Sequence[Mapping[str, Scores]],
    groups: Sequence[str],
    systems: Sequence[SongSystem],
    seed: int = 0,
) -> Summary:
    """Sum up.

    Args:
        scores: for each song, system key → column → value.
        groups: of the songs.
        systems: all rows; the identity first.
        seed: of the bootstrap.
    """
    found: dict[tuple[str, str], Score] = {}
    best: dict[str, str] = {}
    stereo = any("width_error" in row for song in scores for row in song.values())
    for column in columns(stereo):
        values = {
            system.key: tuple(song.get(system.key, {}).get(column, math.nan) for song in scores)
            for system in systems
        }
        direction = info_of(column).higher_is_better
        best_key = _best(values, systems, direction)
        if best_key is not None:
            best[column] = best_key
        for system in systems:
            own = values[system.key]
            difference, improved = None, None
            if best_key is not None and system.key != best_key:
                paired = [a - b for a, b in zip(own, values[best_key], strict=True)]
                difference = estimate(paired, groups, seed)
            if direction is not None and system is not systems[0]:
                improved = sum(
                    _is_better(a, b, direction) for a, b in zip(own, values[systems[0].key], strict=True)
                )
            found[system.key, column] = Score(estimate(own, groups, seed), difference, improved, own)
    return Summary(found, best, len(scores), len(set(groups)))


def summarise_whole(results: Sequence[SongResult], systems: Sequence[SongSystem], seed: int = 0) -> Summary:
    """Over whole songs."""
    return summarise([r.whole for r in results], [r.group for r in results], systems, seed)


def summarise_segments(
    results: Sequence[SongResult], systems: Sequence[SongSystem], seed: int = 0
) -> Summary | None:
    """Over the songs' fixed segments, each song counting once; None where none were measured."""
    with_segments = [r for r in results if r.segments]
    if not with_segments:
        return None
    return summarise([r.segments for r in with_segments], [r.group for r in with_segments], systems, seed)


@dataclass(frozen=True)
class AblationRow:
    """One part taken out of one model.

    Attributes:
        model, ablation: keys.
        values: column → over songs.
        differences: column → paired difference to the whole model.
    """

    model: str
    ablation: str
    values: Mapping[str, SongStatistic]
    differences: Mapping[str, SongStatistic]


def summarise_ablations(
    results: Sequence[SongResult], shown: Sequence[str], seed: int = 0
) -> list[AblationRow]:
    """Rows for each model and ablation, in the columns `shown`."""
    keys = list(dict.fromkeys(key for result in results for key in result.ablations))
    rows = []
    for model, ablation in keys:
        part = [r for r in results if (model, ablation) in r.ablations and model in r.whole]
        groups = [r.group for r in part]
        values, differences = {}, {}
        for column in shown:
            own = [r.ablations[model, ablation].get(column, math.nan) for r in part]
            whole = [r.whole[model].get(column, math.nan) for r in part]
            values[column] = estimate(own, groups, seed)
            differences[column] = estimate([a - b for a, b in zip(own, whole, strict=True)], groups, seed)
        rows.append(AblationRow(model, ablation, values, differences))
    return rows


def _best(
    values: Mapping[str, Sequence[float]], systems: Sequence[SongSystem], direction: bool | None
) -> str | None:
    if direction is None:
        return None
    means = {
        system.key: _mean(values[system.key])
        for system in systems
        if system.kind in BASELINES and any(math.isfinite(v) for v in values[system.key])
    }
    if not means:
        return None
    # the first of equals: the identity before what only changes its level
    return max(means, key=lambda key: round(means[key] if direction else -means[key], 6))


def _is_better(value: float, other: float, higher: bool) -> bool:
    return value - other > _TINY if higher else other - value > _TINY


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan
