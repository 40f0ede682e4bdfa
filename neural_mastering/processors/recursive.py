"""The base of processors that learn by impulse responses and render by recursive filters."""

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from neural_mastering.processors.control import Control
from neural_mastering.processors.processor import Processor, State
from neural_mastering.shapes import Audio


class RecursiveProcessor(Processor):
    """Differentiable at its design rate in training, a compiled loop at any rate and chunk by chunk otherwise.

    Subclasses write `_differentiable` and `_stream`; their `render` calls `_rendered`.

    Args:
        specs: the controls.
        sample_rate: in Hz; of the audio to come.
        design_rate_hz: the rate at which the controls mean their curve; None takes the sample rate.
    """

    def __init__(self, specs: list[Control], sample_rate: float, design_rate_hz: float | None) -> None:
        super().__init__(specs)
        self.sample_rate = sample_rate
        self.design_rate_hz = float(sample_rate if design_rate_hz is None else design_rate_hz)

    @abstractmethod
    def initial_state(self, audio: Audio) -> Tensor:
        """The state before the first chunk: silence."""

    @abstractmethod
    def _differentiable(self, audio: Audio, controls: Mapping[str, Tensor]) -> Audio:
        """A whole signal in float32 or float64, with gradients to everything."""

    @abstractmethod
    def _stream(self, audio: Audio, state: Tensor, controls: Mapping[str, Tensor]) -> tuple[Audio, Tensor]:
        """The next samples and the state after them."""

    def _rendered(self, audio: Audio, state: State, controls: Mapping[str, Tensor]) -> tuple[Audio, State]:
        """`_differentiable` where somebody may ask for a gradient, else `_stream`.

        Raises:
            ValueError: more than two channels, or gradients wanted in a stream or at another rate.
        """
        if audio.shape[1] > 2:
            raise ValueError(f"{self.name} takes mono or stereo audio; got {audio.shape[1]} channels")
        wanted = any(tensor.requires_grad for tensor in (audio, *controls.values()))
        if not (self.training or (wanted and torch.is_grad_enabled())):
            return self._stream(audio, self.initial_state(audio) if state is None else state, controls)
        if state is not None:
            raise ValueError(f"{self.name} has no gradients in a stream: render chunks in evaluation mode")
        if self.sample_rate != self.design_rate_hz:
            raise ValueError(
                f"{self.name} has gradients at its design rate of {self.design_rate_hz:g} Hz only, not at "
                f"{self.sample_rate:g} Hz"
            )
        with torch.autocast(audio.device.type, enabled=False):
            signal = audio if audio.dtype == torch.float64 else audio.float()
            return self._differentiable(signal, controls).to(audio.dtype), None
