"""The chain of a song's controls as stages of a stream, at the song's own sample rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.controls import ChainControls, stage_spec
from neural_mastering.dsp import stream_kernels
from neural_mastering.errors import InputError
from neural_mastering.rendering.stages.base import StreamStage
from neural_mastering.units import db_to_gain

if TYPE_CHECKING:  # torch takes seconds to import and is needed only where such a stage is used
    from neural_mastering.rendering.stages.residual import ResidualSource

RESIDUAL = "residual"
"""Name of the neural residual's stage."""


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
        self._gain = db_to_gain(gain_db)

    def process(self, block: Block) -> Block:
        """Scale."""
        return block * self._gain


def build_stages(
    controls: ChainControls,
    sample_rate: int,
    channels: int,
    residual: ResidualSource | None = None,
    where: str = "",
) -> list[StreamStage]:
    """The stages that do something, in order: eq, gain, further stages, residual, those behind the residual.

    Args:
        controls: of the song, strengths applied; neutral ones give no stage.
        sample_rate: of the song in Hz.
        channels: 1 or 2.
        residual: the model's residual head with the song's z, where the controls name one.
        where: stands before what is said of a stage, such as the name of the file that the controls came from.

    Raises:
        InputError: a stage that this version doesn't have, controls that a stage can't be built from, or a
            residual without its model.
    """
    stages: list[StreamStage] = []
    if len(controls.eq.active()):
        stages.append(EqStage(controls.eq_sections(sample_rate), channels))
    if controls.gain_db != 0.0:
        stages.append(GainStage(controls.gain_db))
    before, after = [], []
    for name, values in controls.stages.items():
        try:
            spec = stage_spec(name)
            from neural_mastering.rendering.stages.processor import processor_stage  # imports torch

            stage = processor_stage(spec, values, sample_rate, channels)
        except InputError as error:
            raise InputError(f"{where}{error}") from error
        (after if spec.is_after_residual else before).append(stage)
    stages += before
    if controls.residual is not None and controls.residual_amount != 0.0:
        if residual is None:
            raise InputError(
                f"the controls name the neural residual of '{controls.residual}': give its model with --model, or "
                "leave the residual out with --skip residual"
            )
        from neural_mastering.rendering.stages.residual import ResidualStage  # imports torch

        stages.append(ResidualStage(residual, sample_rate, channels, controls.residual_amount))
    return stages + after
