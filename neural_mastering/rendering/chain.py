"""The chain of a song's controls as stages of a stream, at the song's own sample rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp import stream_kernels
from neural_mastering.dsp.decibel import gain_of
from neural_mastering.errors import InputError
from neural_mastering.rendering.audio_reader import Block
from neural_mastering.rendering.controls import ChainControls
from neural_mastering.rendering.processor_stage import AFTER_RESIDUAL, STAGES, processor_stage
from neural_mastering.rendering.stream import StreamStage

if TYPE_CHECKING:
    from neural_mastering.rendering.residual_stage import ResidualSource

Builder = Callable[[Mapping[str, float | tuple[float, ...]], int, int], StreamStage]
"""(controls of the stage, sample rate, channels) → the stage."""


def _grey_box(name: str) -> Builder:
    return lambda values, sample_rate, channels: processor_stage(name, values, sample_rate, channels)


BUILDERS: dict[str, Builder] = {name: _grey_box(name) for name in STAGES}
"""Stages of `ChainControls.stages` by name; a further device is one entry here."""


class EqStage(StreamStage):
    """Second-order sections (section, 6) in float64 with their state carried over."""

    name = "eq"

    def __init__(self, sections: NDArray[np.float64], channels: int) -> None:
        self._sections = np.ascontiguousarray(sections, dtype=np.float64)
        self._state = np.zeros((channels, len(self._sections), 2))

    def process(self, block: Block) -> Block:
        """Filter."""
        out = np.empty_like(block)
        stream_kernels.cascade(np.ascontiguousarray(block), self._sections, self._state, out)
        return out


class GainStage(StreamStage):
    """One factor for all samples."""

    name = "gain"

    def __init__(self, gain_db: float) -> None:
        self._gain = gain_of(gain_db)

    def process(self, block: Block) -> Block:
        """Scale."""
        return block * self._gain


def build_stages(
    controls: ChainControls, sample_rate: int, channels: int, residual: ResidualSource | None = None
) -> list[StreamStage]:
    """The stages that do something, in order: eq, gain, further stages, residual. Nothing for neutral controls.

    Args:
        controls: of the song, strengths applied.
        sample_rate: of the song in Hz.
        channels: 1 or 2.
        residual: the model's residual head with the song's z, where the controls name one.

    Raises:
        InputError: a stage that this version doesn't know, or a residual without its model.
    """
    stages: list[StreamStage] = []
    last: list[StreamStage] = []
    if any(band.gain_db != 0.0 for band in controls.eq):
        stages.append(EqStage(controls.eq_sections(sample_rate), channels))
    if controls.gain_db != 0.0:
        stages.append(GainStage(controls.gain_db))
    for name, settings in controls.stages.items():
        if name not in BUILDERS:
            known = ", ".join(BUILDERS) or "none besides eq and gain"
            raise InputError(
                f"the controls name a stage '{name}' that can't be rendered here (known: {known})"
            )
        built = BUILDERS[name](settings, sample_rate, channels)
        (last if name in AFTER_RESIDUAL else stages).append(built)
    if controls.residual is not None and controls.residual_amount != 0.0:
        if residual is None:
            raise InputError(
                f"the controls name the neural residual of '{controls.residual}': give its model with --model, or "
                "leave the residual out with --skip residual"
            )
        from neural_mastering.rendering.residual_stage import ResidualStage

        stages.append(ResidualStage(residual, sample_rate, channels, controls.residual_amount))
    return stages + last
