"""Any processor as a stage of a stream, at any sample rate; the grey-box stages of a song's controls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from neural_mastering.dsp.decibel import gain_of
from neural_mastering.errors import InputError
from neural_mastering.rendering.audio_reader import Block
from neural_mastering.rendering.stage_meter import StageMeter, StageRecord
from neural_mastering.rendering.stream import StreamStage

if TYPE_CHECKING:  # torch takes seconds to import and is needed only where such a stage is used
    from neural_mastering.models import Analysis, MasteringModel
    from neural_mastering.processors import Processor

Values = Mapping[str, float | tuple[float, ...]]

STAGES = ("compressor", "saturation", "stereo", "chain_limiter")
"""Names that `processor_stage` builds. The learned limiter isn't called "limiter": that is the one of the
delivery."""

AFTER_RESIDUAL = ("chain_limiter",)

INPUT_LUFS = "input_lufs"
"""Setting of a stage that hears levels: the loudness of the song where the chain begins."""


class ProcessorStage(StreamStage):
    """A processor with fixed controls, block by block, in float64.

    Args:
        name: of the stage.
        processor: built for the stream's sample rate; in evaluation mode.
        controls: one value or one tuple of bands each.
        channels: 1 or 2.
        sample_rate: in Hz.
        gain: factor before the processor, taken back behind it.
        settings: what the record says of the stage; its controls by default.
    """

    def __init__(
        self,
        name: str,
        processor: Processor,
        controls: Values,
        channels: int,
        sample_rate: int,
        gain: float = 1.0,
        settings: Values | None = None,
    ) -> None:
        import torch

        self.name, self.latency_samples = name, processor.latency_samples
        self._processor, self._gain = processor.eval(), gain
        self._controls = {key: torch.tensor([value], dtype=torch.float64) for key, value in controls.items()}
        self._state = processor.initial_state(torch.zeros(1, channels, 0, dtype=torch.float64))
        self._early = processor.latency_samples  # samples that come out before the first one that went in
        self._waiting = np.zeros((channels, 0))
        self._settings = dict(controls if settings is None else settings)
        self._meter = StageMeter(self._settings, sample_rate)

    @property
    def change_db(self) -> np.ndarray:
        """Level of the output over that of the input in every 100 ms so far; 0 where it is silent."""
        return self._meter.change_db

    def record(self) -> StageRecord:
        """What the stage did to the song so far."""
        meter = self._meter
        return StageRecord(
            self.name,
            self._settings,
            self.seconds,
            meter.reduction_db,
            meter.change_db,
            meter.added_db,
            meter.side_change_db,
        )

    def process(self, block: Block) -> Block:
        """Render; the output is `latency_samples` behind."""
        import torch

        self._waiting = np.concatenate([self._waiting, block], axis=1)
        with torch.inference_mode():
            audio = torch.from_numpy(np.ascontiguousarray(block, dtype=np.float64))[None] * self._gain
            rendered, self._state = self._processor.render(audio, self._state, **self._controls)
            out = rendered[0].numpy() / self._gain
        dropped = min(self._early, out.shape[1])
        self._early -= dropped
        out = out[:, dropped:]
        dry = self._waiting[:, : out.shape[1]]
        self._waiting = self._waiting[:, out.shape[1] :].copy()
        self._meter.push(dry, out)
        return out

    def flush(self) -> Block | None:
        """What is still on its way, with silence behind it."""
        rest = self._waiting.shape[1]
        if not rest:
            return None
        return self.process(np.zeros((self._waiting.shape[0], self.latency_samples)))[:, :rest]


def processor_stage(name: str, values: Values, sample_rate: int, channels: int) -> StreamStage:
    """The stage of a song's controls, built for the song's own sample rate.

    Raises:
        InputError: controls that are missing, unknown or can't be used at this rate.
    """
    from neural_mastering.processors.chain import REFERENCE_DBFS

    settings = dict(values)
    try:
        processor = _processor(name, settings, float(sample_rate))
    except ValueError as error:
        raise InputError(f"the stage '{name}' can't be built at {sample_rate} Hz: {error}") from error
    input_lufs = settings.pop(INPUT_LUFS, None)
    if set(settings) != set(processor.specs):
        expected, given = ", ".join(processor.specs), ", ".join(settings) or "none"
        raise InputError(f"the stage '{name}' needs the controls {expected}; got {given}")
    gain = 1.0
    if processor.hears_level:
        if not isinstance(input_lufs, (int, float)):
            raise InputError(
                f"the stage '{name}' needs {INPUT_LUFS}, the loudness of the song where it begins"
            )
        gain = gain_of(REFERENCE_DBFS - input_lufs)
    return ProcessorStage(name, processor, settings, channels, sample_rate, gain, values)


def stage_values(
    model: MasteringModel, analysis: Analysis, gain_db: float
) -> dict[str, dict[str, float | tuple[float, ...]]]:
    """Controls and settings of a model's chain for one song (a batch of one), as `processor_stage` takes them.

    Stages whose amount is 0 are left out: they do nothing.
    """
    found = {}
    for name, controls in model.chain_controls(analysis).items():
        processor = model.chain_head.chain.processors[name]
        values: dict[str, float | tuple[float, ...]] = {
            key: tuple(value[0].tolist()) if value.ndim > 1 else float(value[0])
            for key, value in controls.items()
        }
        if values.get("mix", values.get("amount", 1.0)) == 0.0:
            continue
        values |= processor.settings()
        if processor.hears_level:
            values[INPUT_LUFS] = float(analysis.lufs[0]) + gain_db
        found["chain_limiter" if name == "limiter" else name] = values
    return found


def _processor(name: str, settings: dict[str, float | tuple[float, ...]], rate: float) -> Processor:
    """The processor that the name and the settings mean; takes its own settings out of the mapping."""
    from neural_mastering import processors

    variants: dict[str, tuple[tuple[str, type[Processor]], ...]] = {
        "compressor": (("crossovers_hz", processors.MultibandCompressor), ("", processors.Compressor)),
        "saturation": (("unit_weight", processors.NeuralSaturation), ("", processors.Saturation)),
        "stereo": (("crossovers_hz", processors.MultibandWidth), ("", processors.StereoWidth)),
        "chain_limiter": (("", processors.Limiter),),
    }
    kind = next(kind for key, kind in variants[name] if not key or key in settings)
    own = {key: settings.pop(key) for key in kind.setting_names if key in settings}
    return kind.from_settings(rate, own)
