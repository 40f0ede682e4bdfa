"""Any processor as a stage of a stream, at any sample rate."""

from __future__ import annotations

import importlib

import numpy as np
import torch

from neural_mastering.audio_io.block import Block
from neural_mastering.controls.catalogue import INPUT_LUFS, StageSpec, Value, Values
from neural_mastering.dsp.reference_level import REFERENCE_DBFS
from neural_mastering.errors import InputError
from neural_mastering.processors import Processor
from neural_mastering.processors.control import Control
from neural_mastering.rendering.stages.base import StreamStage
from neural_mastering.rendering.stages.record import StageMeter, StageRecord
from neural_mastering.units import db_to_gain

_SLACK = 1e-5  # of a range: numbers that a network gives at its ends are rounded


class ProcessorStage(StreamStage):
    """A processor with fixed controls, block by block, in float64.

    Args:
        spec: the stage's row in the catalogue.
        processor: built for the stream's sample rate.
        values: controls and settings; the record shows them.
        channels: 1 or 2.
        sample_rate: in Hz.
        gain: factor before the processor, taken back behind it.
    """

    def __init__(
        self,
        spec: StageSpec,
        processor: Processor,
        values: Values,
        channels: int,
        sample_rate: int,
        gain: float = 1.0,
    ) -> None:
        self.name, self.latency_samples = spec.name, processor.latency_samples
        self._processor, self._gain = processor.eval(), gain
        self._controls = {key: torch.tensor([values[key]], dtype=torch.float64) for key in processor.specs}
        self._state = processor.initial_state(torch.zeros(1, channels, 0, dtype=torch.float64))
        self._early = processor.latency_samples  # samples that come out before the first one that went in
        self._waiting = np.zeros((channels, 0))
        self._values = dict(values)
        self._meter = StageMeter(spec, self._values, sample_rate)

    def record(self) -> StageRecord:
        """What the stage did to the song so far."""
        return self._meter.record(self.seconds)

    def process(self, block: Block) -> Block:
        """Render; the output is `latency_samples` behind."""
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


def processor_stage(spec: StageSpec, values: Values, sample_rate: int, channels: int) -> ProcessorStage:
    """A stage of a song's controls, built for the song's own sample rate.

    Raises:
        InputError: controls that are missing, unknown or can't be used at this rate.
    """
    kind = _device(spec, values)
    own = {key: values[key] for key in kind.setting_names if key in values}
    missing = [key for key in kind.required_settings if key not in own]
    if missing:
        raise InputError(f"the stage '{spec.name}' needs the setting {missing[0]}")
    try:
        processor = kind.from_settings(float(sample_rate), own)
    except (ValueError, TypeError) as error:
        raise InputError(f"the stage '{spec.name}' can't be built at {sample_rate} Hz: {error}") from error
    expected = ", ".join(processor.specs)
    for key in values:
        if key not in (*own, INPUT_LUFS, *processor.specs):
            raise InputError(f"the stage '{spec.name}': unknown key '{key}': expected {expected}")
    for key in processor.specs:
        if key not in values:
            raise InputError(f"the stage '{spec.name}': the key '{key}' is missing: expected {expected}")
    for key, control in processor.specs.items():
        _check_control(f"the stage '{spec.name}': {key}", control, values[key], processor.limits(key))
    gain = 1.0
    if processor.hears_level:
        input_lufs = values.get(INPUT_LUFS)
        if not isinstance(input_lufs, (int, float)):
            raise InputError(
                f"the stage '{spec.name}' needs {INPUT_LUFS}, the loudness of the song where it begins"
            )
        gain = db_to_gain(REFERENCE_DBFS - input_lufs)
    return ProcessorStage(spec, processor, values, channels, sample_rate, gain)


def _check_control(
    where: str, control: Control, value: Value, limits: tuple[tuple[float, ...], tuple[float, ...]]
) -> None:
    """Refuse a number where bands are expected and the other way round, and what the device can't do."""
    given = value if isinstance(value, tuple) else (value,)
    if isinstance(value, tuple) != (control.bands is not None) or len(given) != control.size:
        expected = "one number" if control.bands is None else f"a list of {control.bands} numbers, one a band"
        raise InputError(f"{where}: expected {expected}, got {list(given) if len(given) > 1 else value}")
    for number, low, high in zip(given, *limits, strict=True):
        slack = _SLACK * max(abs(low), abs(high))
        if not low - slack <= number <= high + slack:
            raise InputError(
                f"{where}: expected {low:g} to {high:g} {control.unit}".rstrip() + f", got {number:g}"
            )


def _device(spec: StageSpec, values: Values) -> type[Processor]:
    """The form of the stage that its values ask for."""
    path = next(path for key, path in spec.devices if not key or key in values)
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)
