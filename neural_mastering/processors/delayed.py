"""The base of processors that look ahead."""

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from neural_mastering.processors.processor import Processor, State
from neural_mastering.shapes import Audio


class DelayedProcessor(Processor):
    """A processor with a latency: on time for a whole signal, late for a stream.

    Subclasses write `_stream` and `initial_state`; their `render` calls `_delayed`.
    """

    @abstractmethod
    def initial_state(self, audio: Audio) -> Tensor:
        """The state before the first chunk: silence."""

    @abstractmethod
    def _stream(self, audio: Audio, state: Tensor, controls: Mapping[str, Tensor]) -> tuple[Audio, Tensor]:
        """The next samples, `latency_samples` late, and the state after them."""

    def _delayed(self, audio: Audio, state: State, controls: Mapping[str, Tensor]) -> tuple[Audio, State]:
        """`_stream` of a chunk, or of a whole signal with silence behind it; in float32 at least."""
        wide = audio if audio.dtype == torch.float64 else audio.float()
        controls = {
            key: value.to(torch.promote_types(value.dtype, wide.dtype)) for key, value in controls.items()
        }
        with torch.autocast(audio.device.type, enabled=False):
            if state is not None:
                rendered, state = self._stream(wide, state, controls)
                return rendered.to(audio.dtype), state
            padded = torch.nn.functional.pad(wide, (0, self.latency_samples))
            rendered, _ = self._stream(padded, self.initial_state(wide), controls)
            return rendered[..., self.latency_samples :].to(audio.dtype), None
