"""What an evaluation found, in sentences that follow from its numbers."""

import math
from collections.abc import Sequence

from neural_mastering.evaluation.song_systems import SongSystem
from neural_mastering.evaluation.statistics import SongStatistic
from neural_mastering.evaluation.summary import AblationRow, Summary
from neural_mastering.metrics.suite import info_of
from neural_mastering.reporting.markup import number

LEAST_GROUPS = 5
"""With fewer, resampling groups says nothing that deserves a verdict."""

_COLUMNS = ("mr_stft_matched", "ltas_error_matched")


def findings(systems: Sequence[SongSystem], summary: Summary, ablations: Sequence[AblationRow]) -> list[str]:
    """Is each model better than the best baseline, does it listen, what does its residual do?"""
    sentences = []
    names = {system.key: system.name for system in systems}
    for system in systems:
        if system.kind not in ("model", "peer"):
            continue
        for column in _COLUMNS:
            score = summary.scores[system.key, column]
            best = summary.best_baseline.get(column)
            if score.difference is None or best is None or math.isnan(score.value.mean):
                continue
            info = info_of(column)
            own, other = (
                number(mean, info.digits)
                for mean in (score.value.mean, summary.scores[best, column].value.mean)
            )
            sentences.append(
                f"{system.name}, {info.name} after matching loudness: {own}{_unit(info.unit)} against {other} of "
                f"the best baseline ({names[best]}): {_verdict(score.difference, info.digits)}. Better than doing "
                f"nothing on {score.improved} of {score.value.songs} songs."
            )
        sentences += [_ablation(system.name, row) for row in ablations if row.model == system.key]
    return [sentence for sentence in sentences if sentence]


def _ablation(name: str, row: AblationRow) -> str:
    change = row.differences[_COLUMNS[0]]
    if row.ablation not in _QUESTIONS or math.isnan(change.mean):
        return ""
    return f"{name}, {_QUESTIONS[row.ablation]}: MR-STFT {_by(change, 3)}."


_QUESTIONS = {
    "shuffled_z": "with what it hears taken from another song",
    "no_residual": "without its residual",
    "followed_fully": "with its equaliser followed fully",
}


def _verdict(difference: SongStatistic, digits: int) -> str:
    if difference.groups < LEAST_GROUPS:
        word = "lower" if difference.mean < 0 else "higher"
        apart = number(abs(difference.mean), digits)
        return f"{apart} {word}, but {difference.groups} groups are too few for a verdict"
    interval = f"{number(difference.mean, digits, signed=True)}, 95 % interval {_ends(difference, digits)}"
    if difference.high < 0.0:
        return f"better ({interval})"
    if difference.low > 0.0:
        return f"worse ({interval})"
    return f"no clear difference ({interval})"


def _by(change: SongStatistic, digits: int) -> str:
    if round(change.mean, digits) == 0.0:
        return f"changes by less than {10.0**-digits:g}"
    text = number(change.mean, digits, signed=True)
    if change.groups < LEAST_GROUPS:
        return f"{text} ({change.groups} groups, too few for a verdict)"
    if math.isfinite(change.low):
        text += f" (95 % interval {_ends(change, digits)})"
    if math.isnan(change.low) or change.low <= 0.0 <= change.high:
        return text + ", no clear change"
    return text + (", worse" if change.mean > 0.0 else ", better")


def _ends(span: SongStatistic, digits: int) -> str:
    return " to ".join(number(end, digits, signed=True) for end in (span.low, span.high))


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
