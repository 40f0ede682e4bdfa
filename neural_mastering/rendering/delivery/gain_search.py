"""The gain before the limiter: by the forecast first, then corrected by what each pass measured."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import BLOCK_SAMPLES, Block
from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.metering.meter import Meter, Readings
from neural_mastering.rendering.delivery.rising_root import bisected
from neural_mastering.rendering.delivery.spec import CLEAN_DB, DeliverySpec, Limit
from neural_mastering.rendering.stages.base import StreamStage, run_stages
from neural_mastering.rendering.stages.limiter import LimiterStage
from neural_mastering.rendering.stages.peak_control import PeakControlStage
from neural_mastering.units import db_to_gain

LOSS_TOLERANCE_LU = 0.05
"""By how much the loss of loudness may pass its bound."""

_LEAST_STEP_DB = 0.02
_HIGHEST_DB = 30.0  # what a limiter may have to make up for
_HALVINGS = 24


def limiting_stages(
    spec: DeliverySpec, threshold_db: float, peak_db: float, sample_rate: int, channels: int
) -> tuple[PeakControlStage | None, LimiterStage | None]:
    """Clipper and limiter for a song whose highest peak comes in at `peak_db`; None for what isn't needed."""
    if not spec.limits:
        return None, None
    settings = spec.limiter_settings(peak_db)
    limiter = LimiterStage(threshold_db, sample_rate, channels, settings)
    depth_db = spec.clip_depth_db(peak_db)
    if depth_db <= 0.0:
        return None, limiter
    return PeakControlStage(threshold_db, depth_db, sample_rate, channels), limiter


class GainSearch:
    """What gain to try.

    Args:
        before: readings of the song and the forecast of its limiting.
        spec: target, ceiling and bounds.
        margin_db: by how much peaks must stay below the ceiling where nothing is limited.

    Attributes:
        aim_lufs: loudness aimed at; None where none is asked for or measured.
        wanted_db: the gain that the target takes.
        gain_db: the gain that the bounds leave of it.
        limited_by: which bound lowered it.
    """

    def __init__(self, before: LimiterForecast, spec: DeliverySpec, margin_db: float) -> None:
        self._before, self._spec = before, spec
        self._predictions: dict[float, float] = {}
        peak_bound: tuple[float, Limit | None] = _peak_bound(before, spec, margin_db)
        self._peak_bound_db = peak_bound[0]
        self._peak_reason: Limit | None = peak_bound[1]
        self._error_lu = 0.0  # of the prediction: measured less predicted
        self._loss_factor = 1.0  # measured loss over the predicted one
        self._losses: list[tuple[float, float]] = [(self._clean_gain_db, 0.0)]  # gain and measured loss
        self.aim_lufs = spec.lufs if math.isfinite(before.readings.lufs) else None
        self.wanted_db = 0.0
        self.limited_by: Limit | None = None
        if self.aim_lufs is not None:
            first_db = self._gain_for(self.aim_lufs)
            self._error_lu = self._error_of_excerpts(first_db)
            self._scale_losses(first_db, self._predicted_loss_lu(first_db) - self._error_lu)
        self._choose()

    @property
    def needed_reduction_db(self) -> float:
        """What the highest peak has to lose for the target; 0 without a limiter."""
        if not self._spec.limits:
            return 0.0
        return self._spec.over_db(self._before.readings.true_peak_db + self.wanted_db)

    @property
    def needed_loss_lu(self) -> float:
        """About what the target takes off the loudness."""
        if self.aim_lufs is None or not self._spec.limits:
            return 0.0
        return max(self._before.readings.lufs + self.wanted_db - self.aim_lufs, 0.0)

    def loss_lu(self, lufs: float) -> float:
        """By how much limiting lowered the loudness of the pass that measured `lufs`."""
        loss = self._before.readings.lufs + self.gain_db - lufs
        return max(loss, 0.0) if math.isfinite(loss) and self._spec.limits else 0.0

    def is_settled(self, lufs: float, tolerance_lu: float) -> bool:
        """Whether the pass that measured `lufs` is on target, or as near as the bounds allow."""
        error = self.error_lu(lufs)
        loss = self.loss_lu(lufs)
        if self.gain_db > self._clean_gain_db and loss > self._spec.max_loss_lu + LOSS_TOLERANCE_LU:
            return False
        if abs(error) <= tolerance_lu or (error > 0.0 and self.gain_db >= self._peak_bound_db - 1e-9):
            return True
        return error > 0.0 and self.limited_by == "density" and loss > self._spec.max_loss_lu - tolerance_lu

    def error_lu(self, lufs: float) -> float:
        """How far below the aim a measured loudness is."""
        return 0.0 if self.aim_lufs is None or not math.isfinite(lufs) else self.aim_lufs - lufs

    def correct(self, lufs: float, tolerance_lu: float, over_db: float = 0.0) -> None:
        """Choose the next gain after a pass that measured `lufs`.

        Args:
            lufs: of the pass.
            tolerance_lu: how far from the aim it may be.
            over_db: by how much the limiter's threshold is lower from now on, as the pass went over the ceiling;
                the limiter takes off no more than before.
        """
        self._peak_bound_db -= over_db
        if self.aim_lufs is None or not math.isfinite(lufs):
            self._bound()
            return
        self._error_lu = lufs - self._predicted_lufs(self.gain_db)
        if self._spec.limits:
            loss = self.loss_lu(lufs)
            self._scale_losses(self.gain_db, loss)
            # with a threshold lower by d, a gain of g - d dB costs what g did
            self._losses = [
                (gain_db - over_db, lost) for gain_db, lost in [*self._losses, (self.gain_db, loss)]
            ]
        if abs(self.error_lu(lufs)) > tolerance_lu or self.loss_lu(lufs) > self._spec.max_loss_lu:
            self._choose()
        else:
            self.wanted_db = self.gain_db
            self._bound()

    def _choose(self) -> None:
        if self.aim_lufs is not None:
            by_secant = self._by_secant(self.aim_lufs)
            self.wanted_db = (
                self._gain_for(self.aim_lufs - self._error_lu) if by_secant is None else by_secant
            )
        self._bound()

    def _by_secant(self, aim_lufs: float) -> float | None:
        """The gain on the line through the last two passes, where much is limited; None without such two."""
        if len(self._losses) < 3 or self._losses[-2][0] <= self._clean_gain_db:
            return None
        (before_db, before_loss), (last_db, last_loss) = self._losses[-2:]
        if abs(last_db - before_db) < _LEAST_STEP_DB:
            return None
        slope = 1.0 - (last_loss - before_loss) / (last_db - before_db)
        missing = aim_lufs - (self._before.readings.lufs + last_db - last_loss)
        return last_db + missing / min(max(slope, 0.05), 1.0)

    def _bound(self) -> None:
        bound_db = self._peak_bound_db
        reason: Limit | None = self._peak_reason
        if self.aim_lufs is not None and self._spec.limits and math.isfinite(self._spec.max_loss_lu):
            loss_bound_db = max(self._gain_for_loss(), self._clean_gain_db)
            if loss_bound_db < bound_db:
                bound_db = loss_bound_db
                reason = "density"
        self.limited_by = reason if self.wanted_db > bound_db else None
        self.gain_db = min(self.wanted_db, bound_db)

    @property
    def _clean_gain_db(self) -> float:
        """Up to here no more than `CLEAN_DB` is taken off a peak, which gives up no dynamics worth the name."""
        ceiling_db = self._spec.ceiling_db
        if ceiling_db is None:
            return math.inf
        return ceiling_db + CLEAN_DB - self._before.readings.true_peak_db

    def _predicted_lufs(self, gain_db: float) -> float:
        if gain_db not in self._predictions:
            peak_db = self._before.readings.true_peak_db + gain_db
            self._predictions[gain_db] = _predicted(self._before, self._spec, gain_db, peak_db)
        return self._predictions[gain_db]

    def _gain_for(self, lufs: float) -> float:
        """The gain in dB for which the predicted loudness is `lufs`, by bisection."""
        plain = lufs - self._before.readings.lufs
        if not self._spec.limits:
            return plain
        if self._predicted_lufs(plain) >= lufs:
            return plain
        high = plain + _HIGHEST_DB
        low = bisected(lambda gain_db: self._predicted_lufs(gain_db) - lufs, plain, high, _HALVINGS)
        return low + 0.5 ** (_HALVINGS + 1) * _HIGHEST_DB

    def _predicted_loss_lu(self, gain_db: float) -> float:
        return self._before.readings.lufs + gain_db - self._predicted_lufs(gain_db)

    def _scale_losses(self, gain_db: float, loss_lu: float) -> None:
        """Correct predicted losses by the one that was measured at a gain, where it is large enough to tell."""
        predicted = self._predicted_loss_lu(gain_db)
        if predicted > LOSS_TOLERANCE_LU and loss_lu > LOSS_TOLERANCE_LU:
            self._loss_factor = loss_lu / predicted

    def _gain_for_loss(self) -> float:
        """The highest gain in dB at which no more loudness is lost than allowed.

        Between a measured loss that is allowed and one that isn't, on the line through both; until there are such
        two, by the prediction.
        """
        most_lu = self._spec.max_loss_lu
        allowed = max(pair for pair in self._losses if pair[1] <= most_lu)
        refused = min((pair for pair in self._losses if pair[1] > most_lu), default=None)
        low, high = allowed[0], allowed[0] + _HIGHEST_DB
        if refused is not None and len(self._losses) > 2:
            share = (most_lu - allowed[1]) / (refused[1] - allowed[1])
            return low + share * (refused[0] - low)
        return bisected(
            lambda gain_db: self._loss_factor * self._predicted_loss_lu(gain_db) - most_lu,
            low,
            high,
            _HALVINGS,
        )

    def _error_of_excerpts(self, gain_db: float) -> float:
        """By how many LU the prediction is too low, found by limiting the excerpts; 0 without any limiting."""
        spec, peak_db = self._spec, self._before.readings.true_peak_db + gain_db
        if self._before.sample is None or not spec.limits:
            return 0.0
        excerpts, audio = self._before.sample
        if spec.over_db(excerpts.readings.true_peak_db + gain_db) <= 0.0:
            return 0.0
        measured = limited_lufs(excerpt_blocks(audio), excerpts.readings, spec, gain_db, peak_db)
        error = measured - _predicted(excerpts, spec, gain_db, peak_db)
        return error if math.isfinite(error) else 0.0


def excerpt_blocks(audio: NDArray[np.float32]) -> Iterator[Block]:
    """Excerpts (channel, time) as a stream."""
    for start in range(0, audio.shape[1], BLOCK_SAMPLES):
        yield audio[:, start : start + BLOCK_SAMPLES].astype(np.float64)


def limited_lufs(
    blocks: Iterator[Block], readings: Readings, spec: DeliverySpec, gain_db: float, peak_db: float
) -> float:
    """Loudness of a stream at a gain behind the clipper and limiter of a song whose highest peak is `peak_db`."""
    rate, channels = readings.sample_rate, len(readings.channel_power)
    stages = limiting_stages(spec, spec.ceiling_db or 0.0, peak_db, rate, channels)
    meter = Meter(rate, channels, with_true_peak=False)
    wanted: list[StreamStage] = [stage for stage in stages if stage is not None]
    for block in run_stages(wanted, (block * db_to_gain(gain_db) for block in blocks)):
        meter.push(block)
    return meter.finish().lufs


def _predicted(before: LimiterForecast, spec: DeliverySpec, gain_db: float, peak_db: float) -> float:
    settings, depth_db = spec.limiter_settings(peak_db), spec.clip_depth_db(peak_db)
    return before.limited_lufs(gain_db, spec.ceiling_db, settings, depth_db)


def _peak_bound(before: LimiterForecast, spec: DeliverySpec, margin_db: float) -> tuple[float, Limit | None]:
    """The gain that the ceiling and the permitted reduction allow, and the name of what stops it."""
    peak_db = before.readings.true_peak_db
    if spec.ceiling_db is None or not math.isfinite(peak_db):
        return math.inf, None
    if spec.limits:
        return spec.ceiling_db + spec.max_reduction_db - peak_db, "reduction"
    return spec.ceiling_db - margin_db - peak_db, "peaks"
