"""The base of every audio device: physical controls in, audio out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from neural_mastering.processors.control import Control
from neural_mastering.shapes import Audio, Logits

State = Tensor | None
"""What a processor carries from one chunk of a signal to the next; None at the start."""


class Processor(nn.Module, ABC):
    """A device with named physical controls.

    Subclasses set `name` (the key of its controls in a `MasteringOutput`) and fill `specs`, whose keys are
    the keyword arguments of `render`.
    """

    name: str
    latency_samples: int = 0
    """Delay of the rendered audio against its input, already compensated in one-shot rendering."""

    def __init__(self, specs: list[Control]) -> None:
        super().__init__()
        self.specs: dict[str, Control] = {spec.key: spec for spec in specs}

    @property
    def logit_count(self) -> int:
        """How many network numbers set all controls of one item."""
        return sum(spec.size for spec in self.specs.values())

    def controls(self, logits: Logits) -> dict[str, Tensor]:
        """Physical controls (batch,) or (batch, band) from unbounded logits: to_physical(sigmoid(logit)).

        Runs in float32 at least: a half-precision 16 kHz has steps of 8 Hz.
        """
        if logits.shape[-1] != self.logit_count:
            raise ValueError(
                f"{self.name}: expected {self.logit_count} logits ({', '.join(self.specs)}), "
                f"got {logits.shape[-1]}"
            )
        if logits.dtype in (torch.float16, torch.bfloat16):
            logits = logits.float()
        parts = torch.split(logits, [spec.size for spec in self.specs.values()], dim=-1)
        return {
            key: spec.to_physical(torch.sigmoid(part if spec.bands else part.squeeze(-1)))
            for (key, spec), part in zip(self.specs.items(), parts, strict=True)
        }

    def logits(self, controls: Mapping[str, Tensor]) -> Logits:
        """The inverse of `controls`."""
        parts = []
        for key, spec in self.specs.items():
            unit = spec.to_unit(controls[key])
            parts.append(torch.logit(unit if spec.bands else unit.unsqueeze(-1)))
        return torch.cat(parts, dim=-1)

    @abstractmethod
    def render(self, audio: Audio, state: State = None, **controls: Tensor) -> tuple[Audio, State]:
        """Process audio with physical controls; pass the returned state with the next chunk.

        With `state=None` and a single call the whole signal is processed at once. Subclasses name their controls
        as keyword-only arguments, the keys of `specs`, which callers must give in full.
        """

    def forward(self, audio: Audio, **controls: Tensor) -> Audio:
        """`render` of a whole signal, without the state."""
        return self.render(audio, None, **controls)[0]
