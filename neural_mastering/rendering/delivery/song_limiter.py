"""The clipper and limiter of a song: from its controls, or found for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from neural_mastering.audio_io.block import Block
from neural_mastering.controls import ChainControls
from neural_mastering.controls.limiter_controls import CLIP_DB, limiter_settings, limiter_values
from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.rendering.delivery.limiter_search import LOUDER, find_limiter
from neural_mastering.rendering.delivery.spec import DeliverySpec
from neural_mastering.rendering.options import MOST_CLIPPED_DB, PEAK_CONTROL, Options


def fit_limiter(
    controls: ChainControls,
    blocks: Callable[[], Iterator[Block]],
    before: LimiterForecast,
    spec: DeliverySpec,
    options: Options,
) -> tuple[ChainControls, DeliverySpec]:
    """Controls and spec with the limiter that the controls name, or else the one that is found for the song.

    Args:
        controls: of the song.
        blocks: starts the signal before the loudness stage from its beginning.
        before: its survey.
        spec: what the delivery aims at.
        options: of the master.
    """
    if controls.limiter:
        own = limiter_settings(controls.limiter)
        clip_db = controls.limiter[CLIP_DB] * options.share_of(PEAK_CONTROL) if spec.limits else 0.0
        return controls, replace(spec, settings=own, driven=own, clip_db=clip_db)
    if options.sets_limiter:
        return controls, spec
    choice = find_limiter(blocks, before, spec)
    spec = replace(spec, densest=(LOUDER[-1], MOST_CLIPPED_DB * options.share_of(PEAK_CONTROL)))
    if choice is None:
        return controls, spec
    found = replace(controls, limiter=limiter_values(choice.settings, choice.clip_db))
    return found, replace(spec, driven=choice.settings, clip_db=choice.clip_db)
