"""What a browser should not imitate: a stretch of the song through the exact chain, with delivery."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block, blocks_of, joined
from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.controls import ChainControls, scaled
from neural_mastering.dsp.masked_change import hop_samples
from neural_mastering.errors import InputError
from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.metering.meter import Meter
from neural_mastering.rendering.delivery.gain_search import limiting_stages
from neural_mastering.rendering.delivery.loop import planned_gain_db
from neural_mastering.rendering.delivery.plr import PlrTarget
from neural_mastering.rendering.delivery.reference_peaks import follow_peaks
from neural_mastering.rendering.delivery.song_limiter import fit_limiter
from neural_mastering.rendering.delivery.spec import DeliverySpec
from neural_mastering.rendering.delivery.targets import Target
from neural_mastering.rendering.options import DC_REMOVAL, LIMITER, PEAK_CONTROL, Options, chosen_target
from neural_mastering.rendering.stages.base import StreamStage, run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.stages.dc_removal import dc_removal
from neural_mastering.rendering.stages.limiter import POINT_MS, LimiterStage
from neural_mastering.studio.pcm import PcmCache
from neural_mastering.units import db_to_gain

if TYPE_CHECKING:  # torch takes seconds to import and is needed only where such a stage is used
    from neural_mastering.rendering.stages.residual import ResidualSource

RUN_IN_S = 3.0
"""What is rendered before the region, so that filters, compressors and the limiter are where they would be."""

LONGEST_S = 60.0
_DELIVERY = (PEAK_CONTROL, LIMITER)


@dataclass(frozen=True, eq=False)
class PreviewRegion:
    """A stretch of the song as the master would have it.

    Attributes:
        audio: (frame, channel) float32.
        start: its first sample in the song.
        gain_db: of the delivery, before the limiter.
        lufs: integrated loudness of the stretch; −inf for silence and for less than 400 ms.
        before_lufs: the same of the stretch in the song as it came.
        spec: of the delivery, with the limiter's settings.
        reduction_db: largest gain reduction of every 100 ms by stage.
    """

    audio: NDArray[np.float32]
    start: int
    gain_db: float
    lufs: float
    before_lufs: float
    spec: DeliverySpec
    reduction_db: dict[str, list[float]] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Little-endian float32, interleaved."""
        return self.audio.astype("<f4", copy=False).tobytes()


class RegionRenderer:
    """Renders stretches of one song.

    The gain of the delivery is the one that `nm-master` would begin with: from the song's forecast, less what the
    chain adds to the stretch that is heard.

    Args:
        pcm: the song.
        forecast: of the song as it came (`metering.measure`).
        target: loudness that a reference asks for, where the options name none.
        residual: the model's residual with the song's z, where the controls name one.
    """

    def __init__(
        self,
        pcm: PcmCache,
        forecast: LimiterForecast,
        target: Target | None = None,
        residual: ResidualSource | None = None,
    ) -> None:
        self._pcm, self._forecast, self._target, self._residual = pcm, forecast, target, residual

    def render(
        self,
        controls: ChainControls,
        options: Options,
        start: int,
        frames: int,
        solo: str | None = None,
        bypass: Collection[str] = (),
    ) -> PreviewRegion:
        """Render `frames` samples from `start` on.

        Args:
            controls: as for `nm-master --controls`.
            options: of the master; strengths, target, ceiling, density and the limiter's are used.
            start: first sample.
            frames: how many; up to a minute. At the song's end there are fewer.
            solo: hear this stage alone.
            bypass: stages to leave out.

        Raises:
            InputError: a stretch outside the song or too long, a stage that doesn't exist, controls that can't be
                rendered.
        """
        pcm = self._pcm
        if not 0 <= start < pcm.frames:
            raise InputError(f"start {start}: expected 0 to {pcm.frames - 1}, the samples of the song")
        if not 1 <= frames <= LONGEST_S * pcm.sample_rate:
            raise InputError(f"frames {frames}: expected 1 to {int(LONGEST_S * pcm.sample_rate)}, a minute")
        frames = min(frames, pcm.frames - start)
        asked = _heard(options, solo, bypass)
        chain = self._chain(controls, asked)
        delivers = solo is None or solo in _DELIVERY
        spec = self._spec(asked)
        if delivers:
            spec = self._limited(controls, self._peaks_followed(spec, asked.plr), asked)
        delivery = self._delivery(spec) if delivers else []
        point = max(round(POINT_MS * pcm.sample_rate / 1000.0), 1)
        run_in = _run_in_samples(start, point, pcm.sample_rate)
        # behind the region, what stages that look ahead need for its last samples
        late = sum(stage.latency_samples for stage in [*chain, *delivery])
        source = joined(pcm.blocks(start - run_in, start + frames + late), pcm.channels)
        rendered = joined(_side_by_side(chain, blocks_of(source)), pcm.channels)
        gain_db = 0.0
        if delivers:
            change_lu = self._lufs(rendered) - self._lufs(source)
            gain_db = _planned(self._forecast, spec) - (change_lu if math.isfinite(change_lu) else 0.0)
        gain = db_to_gain(gain_db)
        master = joined(run_stages(delivery, (block * gain for block in blocks_of(rendered))), pcm.channels)
        heard = slice(run_in, run_in + frames)
        return PreviewRegion(
            np.ascontiguousarray(master[:, heard].T, dtype=np.float32),
            start,
            gain_db,
            self._lufs(master[:, heard]),
            self._lufs(source[:, heard]),
            spec,
            _reductions([*chain, *delivery], run_in // point, math.ceil(frames / point)),
        )

    def _chain(self, controls: ChainControls, options: Options) -> list[StreamStage]:
        pcm, readings = self._pcm, self._forecast.readings
        weaker = scaled(controls, options.shares(controls))
        if self._residual is None:
            weaker = replace(weaker, residual=None)
        stages = build_stages(weaker, pcm.sample_rate, pcm.channels, self._residual)
        if options.share_of(DC_REMOVAL) > 0.0:
            stages = [*dc_removal(readings.channel_mean, pcm.sample_rate), *stages]
        return stages if any(readings.channel_power) else []

    def _spec(self, options: Options) -> DeliverySpec:
        target = chosen_target(options, self._target)
        lufs = self._forecast.readings.lufs if target.lufs is None else target.lufs
        return options.delivery_spec(lufs if math.isfinite(lufs) else None, target.ceiling_db)

    def _peaks_followed(self, spec: DeliverySpec, plr: PlrTarget | None) -> DeliverySpec:
        """The spec with the lower ceiling that peaks are brought to, found once for the song as it came."""
        if plr is None:
            return spec
        for known, asked, target, found in _FOLLOWED:
            if known is self._forecast and (asked, target) == (spec, plr):
                return found
        found = follow_peaks(self._forecast, spec, plr)
        _FOLLOWED.append((self._forecast, spec, plr, found))
        return found

    def _limited(self, controls: ChainControls, spec: DeliverySpec, options: Options) -> DeliverySpec:
        """The spec with the limiter that the controls name, or the one that is found for the song as it came.

        The search costs as much as a preview, so it isn't done anew for every chain.
        """
        if controls.limiter:
            return fit_limiter(controls, self._pcm.blocks, self._forecast, spec, options)[1]
        for known, asked, found in _LIMITED:
            if known is self._forecast and asked == spec:
                return found
        found = fit_limiter(controls, self._pcm.blocks, self._forecast, spec, options)[1]
        _LIMITED.append((self._forecast, spec, found))
        return found

    def _delivery(self, spec: DeliverySpec) -> list[StreamStage]:
        if spec.ceiling_db is None or not spec.limits:
            return []
        peak_db = self._forecast.readings.true_peak_db + _planned(self._forecast, spec)
        rate, channels = self._pcm.sample_rate, self._pcm.channels
        stages = limiting_stages(spec, spec.ceiling_db, peak_db, rate, channels)
        return [stage for stage in stages if stage is not None]

    def _lufs(self, audio: Block) -> float:
        meter = Meter(self._pcm.sample_rate, self._pcm.channels, with_true_peak=False)
        for block in blocks_of(audio):
            meter.push(block)
        return meter.finish().lufs


_FOLLOWED: deque[tuple[LimiterForecast, DeliverySpec, PlrTarget, DeliverySpec]] = deque(maxlen=16)
_LIMITED: deque[tuple[LimiterForecast, DeliverySpec, DeliverySpec]] = deque(maxlen=16)
_PLANNED: deque[tuple[LimiterForecast, DeliverySpec, float]] = deque(maxlen=16)


def _planned(forecast: LimiterForecast, spec: DeliverySpec) -> float:
    """The delivery's first gain in dB; limits excerpts, so the last answers are kept."""
    for known, asked, gain_db in _PLANNED:
        if known is forecast and asked == spec:
            return gain_db
    gain_db = planned_gain_db(forecast, spec)
    _PLANNED.append((forecast, spec, gain_db))
    return gain_db


def _run_in_samples(start: int, point: int, sample_rate: int) -> int:
    """Points of at least `RUN_IN_S`, and less than a hop, so that the clipper's frames lie as in the master."""
    least = math.ceil(RUN_IN_S * sample_rate / point) * point
    return min(start, least + (start - least) % hop_samples(sample_rate))


def _side_by_side(stages: Sequence[StreamStage], blocks: Iterator[Block]) -> Iterator[Block]:
    """`run_stages` with a thread for each stage."""
    for stage in stages:
        blocks = prefetch(run_stages([stage], blocks))
    return blocks


def _heard(options: Options, solo: str | None, bypass: Collection[str]) -> Options:
    """The options with stages left out as `--only` and `--skip` would; what led to the controls is done with."""
    only = (solo,) if solo is not None else options.only
    done = replace(options, words={}, style=None, references=(), match=None)
    return replace(done, only=only, skip=(*options.skip, *bypass))


def _reductions(stages: Sequence[StreamStage], first: int, points: int) -> dict[str, list[float]]:
    """By stage, those that reduced anything."""
    found: dict[str, list[float]] = {}
    for stage in stages:
        reduction = stage.reduction_db if isinstance(stage, LimiterStage) else stage.record().reduction_db
        if reduction.size:
            found[stage.name] = [round(float(v), 2) for v in reduction[first : first + points]]
    return found
