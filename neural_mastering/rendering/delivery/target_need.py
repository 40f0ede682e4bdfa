"""What a target takes where a bound keeps a song from it, measured by limiting the song harder."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from neural_mastering.audio_io.block import Block
from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.rendering.delivery.density import needed_density
from neural_mastering.rendering.delivery.loudness_probe import loudness_probe
from neural_mastering.rendering.delivery.spec import MOST_REDUCTION_DB, DeliverySpec

_NEAR_LU = 0.05
_PROBES = 8


@dataclass(frozen=True)
class TargetNeed:
    """What was found.

    Attributes:
        reduction_db: about what the highest peak has to lose.
        loss_lu: about what limiting takes off the loudness.
        is_reachable: False where the target isn't reached with as much reduction as can be asked for; the numbers
            are then those of that much, so that the target takes more.
        density: that allows it.
    """

    reduction_db: float
    loss_lu: float
    is_reachable: bool
    density: float = 1.0


def find_need(
    blocks: Callable[[], Iterator[Block]],
    before: LimiterForecast,
    spec: DeliverySpec,
    gain_db: float,
    lufs: float,
) -> TargetNeed:
    """What the target takes, between the gain that the bounds left and the most reduction that can be asked for.

    By the limiter of the song, as far as a density below 1 allows it; else by `spec.densest`.

    Args:
        blocks: starts the signal before the loudness stage from its beginning.
        before: its survey.
        spec: with a limiter, its threshold as the ceiling, and a target that was not reached.
        gain_db: of the last pass.
        lufs: what it measured.
    """
    assert spec.lufs is not None and spec.ceiling_db is not None
    readings = before.readings
    highest_db = max(spec.ceiling_db + MOST_REDUCTION_DB - readings.true_peak_db, gain_db)
    # excerpts measure a little else than the pass over all of the song
    aim_lufs = spec.lufs - lufs + loudness_probe(blocks, before, spec)(gain_db)
    need = TargetNeed(MOST_REDUCTION_DB, math.inf, is_reachable=False)
    limiters = [spec]
    if spec.densest is not None:
        limiters.append(replace(spec, driven=spec.densest[0], clip_db=spec.densest[1]))
    for limiter in limiters:
        missing = _missing(loudness_probe(blocks, before, limiter), aim_lufs)
        most_missing = missing(highest_db)
        if most_missing > 0.0:
            if not need.is_reachable:
                need = _need(before, spec, highest_db, most_missing, is_reachable=False)
        else:
            need = _need(before, spec, _gain_between(gain_db, highest_db, missing), 0.0, is_reachable=True)
            density = needed_density(need.loss_lu)
            if limiter is spec and (density < 1.0 or math.isinf(spec.max_loss_lu)):
                return replace(need, density=density)
    return need


def _missing(probe: Callable[[float], float], aim_lufs: float) -> Callable[[float], float]:
    return cache(lambda gain_db: aim_lufs - probe(gain_db))


def _need(
    before: LimiterForecast, spec: DeliverySpec, gain_db: float, missing_lu: float, is_reachable: bool
) -> TargetNeed:
    assert spec.lufs is not None
    readings = before.readings
    loss = readings.lufs + gain_db - (spec.lufs - missing_lu)
    return TargetNeed(spec.over_db(readings.true_peak_db + gain_db), max(loss, 0.0), is_reachable)


def _gain_between(low_db: float, high_db: float, missing: Callable[[float], float]) -> float:
    """The gain in dB at which nothing is missing any more, by regula falsi (Illinois).

    Args:
        low_db, high_db: gains, of which the second is enough.
        missing: at a gain, in LU, falling.
    """
    below, above = missing(low_db), missing(high_db)
    if below <= 0.0:
        return low_db
    side = 0
    for _ in range(_PROBES):
        gain_db = (below * high_db - above * low_db) / (below - above)
        value = missing(gain_db)
        if abs(value) < _NEAR_LU:
            return gain_db
        if value > 0.0:
            low_db, below = gain_db, value
            above *= 0.5 if side > 0 else 1.0
            side = 1
        else:
            high_db, above = gain_db, value
            below *= 0.5 if side < 0 else 1.0
            side = -1
    return high_db
