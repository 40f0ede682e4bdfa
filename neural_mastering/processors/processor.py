"""The base of every audio device: physical controls in, audio out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

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
    hears_level: bool = False
    """Whether the effect depends on the level: such a stage wants its input at the loudness it is made for."""

    def __init__(self, specs: list[Control]) -> None:
        super().__init__()
        self.specs: dict[str, Control] = {spec.key: spec for spec in specs}

    setting_names: tuple[str, ...] = ()
    """Numbers besides the controls that say what the processor does; see `settings`."""

    required_settings: tuple[str, ...] = ()
    """Those of `setting_names` that `from_settings` has no default for."""

    @classmethod
    def from_settings(cls, sample_rate: float, settings: Mapping[str, Any]) -> "Processor":
        """A processor for a sample rate in Hz with the `settings` of another."""
        return cls(sample_rate=sample_rate, **settings)  # pyright: ignore[reportCallIssue]

    def settings(self) -> dict[str, float | tuple[float, ...]]:
        """What `from_settings` needs besides the sample rate, as plain numbers."""
        return {name: getattr(self, name) for name in self.setting_names}

    def limits(self, key: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Lowest and highest values that a control takes when a person sets it: those of its range."""
        return self.specs[key].ends()

    @property
    def logit_count(self) -> int:
        """How many network numbers set all controls of one item."""
        return sum(spec.size for spec in self.specs.values())

    def controls(self, logits: Logits) -> dict[str, Tensor]:
        """Physical controls (batch,) or (batch, band) from unbounded logits: to_physical(from_logit(logit)).

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
            key: spec.to_physical(spec.from_logit(part if spec.bands else part.squeeze(-1)))
            for (key, spec), part in zip(self.specs.items(), parts, strict=True)
        }

    def logits(self, controls: Mapping[str, Tensor]) -> Logits:
        """The inverse of `controls`."""
        parts = []
        for key, spec in self.specs.items():
            unit = spec.to_unit(controls[key])
            parts.append(spec.to_logit(unit if spec.bands else unit.unsqueeze(-1)))
        return torch.cat(parts, dim=-1)

    def rest(self) -> dict[str, Tensor]:
        """Controls (1,) or (1, band) of a processor that does nothing.

        Neutral where a control has such a value, else the middle of its range.
        """
        rest = {}
        for key, spec in self.specs.items():
            middle = spec.to_physical(torch.full((1, spec.bands) if spec.bands else (1,), 0.5))
            rest[key] = middle if spec.neutral is None else torch.full_like(middle, spec.neutral)
        return rest

    def initial_state(self, audio: Audio) -> State:
        """The state before the first chunk of a stream like `audio`.

        With it, `render` gives its output `latency_samples` late, as with every state; without a state it
        is on time.
        """
        return None

    @abstractmethod
    def render(self, audio: Audio, state: State = None, **controls: Tensor) -> tuple[Audio, State]:
        """Process audio with physical controls; pass the returned state with the next chunk.

        With `state=None` and a single call the whole signal is processed at once. Subclasses name their controls
        as keyword-only arguments, the keys of `specs`, which callers must give in full.
        """

    def forward(self, audio: Audio, **controls: Tensor) -> Audio:
        """`render` of a whole signal, without the state."""
        return self.render(audio, None, **controls)[0]
