"""Processors in series: the rack between the equaliser and the neural residual, and what stands behind that."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from neural_mastering.processors.processor import Processor
from neural_mastering.shapes import Audio, PerItem
from neural_mastering.units import db_to_gain

REFERENCE_DBFS = -18.0
"""Level to which the input's loudness is brought before a stage that hears levels, and from which it is
taken back."""

AMOUNTS = ("mix", "amount")
"""Controls that a stage's effect is proportional to."""

PARTIAL_AMOUNTS = {"bass_amount": "bass_frequency_hz"}
"""Amounts of a part of a stage, and the control that means nothing while they are 0."""

EXPLORED = 0.1
"""In training, settings of a stage whose amount is below this learn as if it were this."""

Render = Callable[..., Audio]
"""(processor, audio, **controls) → audio."""


class Chain(nn.Module):
    """Stages in series; `order` says which take part and in what order.

    A stage that hears levels gets its input at a fixed loudness, so its thresholds and drives are relative to the
    loudness of the song: y = x + (stage(g·x) − g·x)/g. A stage at rest changes no bit.

    Args:
        stages: processors by name; the name is the key of its controls.
        order: names in the order of the signal; a stage that is not named is left out. All of them by default.
        after_residual: names of the stages that stand behind the neural residual (a limiter).

    Raises:
        ValueError: a name that is no stage, or is there twice.
    """

    def __init__(
        self,
        stages: Mapping[str, Processor] | None = None,
        order: Sequence[str] | None = None,
        after_residual: Sequence[str] = (),
    ) -> None:
        super().__init__()
        known = stages or {}
        order = list(known) if order is None else list(order)
        for name in (*order, *after_residual):
            if name not in known:
                raise ValueError(f"the chain has no stage {name!r}: expected {', '.join(known) or 'none'}")
        if len(set(order)) < len(order):
            raise ValueError(f"a stage stands twice in the order {order}: name each once")
        self.processors: dict[str, Processor] = {name: known[name] for name in order}
        self.stages = nn.ModuleDict(self.processors)
        self.after_residual = tuple(after_residual)

    @property
    def before(self) -> list[str]:
        """Names of the stages before the residual, in order."""
        return [name for name in self.processors if name not in self.after_residual]

    @property
    def after(self) -> list[str]:
        """Names of the stages after the residual, in order."""
        return [name for name in self.processors if name in self.after_residual]

    def stage(
        self,
        name: str,
        audio: Audio,
        controls: Mapping[str, Tensor],
        lufs: PerItem,
        render: Render | None = None,
    ) -> Audio:
        """One stage on audio (batch, channel, time) whose loudness is `lufs` (batch,).

        While a stage's amount is below `EXPLORED` its output is exactly that of the amount, but in training
        its other controls get the gradient that they would have at `EXPLORED`: they look for settings at
        which the stage would help, and the amount's gradient says when it does. Without this a stage that
        starts badly stays off for ever.
        """
        processor = self.processors[name]
        gain = (
            db_to_gain(REFERENCE_DBFS - lufs)[:, None, None].to(audio.dtype) if processor.hears_level else 1.0
        )
        level = audio * gain
        amount = next((key for key in AMOUNTS if key in controls), None)
        if self.training and amount is not None:
            low = controls[amount] < EXPLORED
            if bool(low.any()):
                explored = {**controls, amount: torch.where(low, EXPLORED, controls[amount])}
                low_audio = low[:, None, None]
                level = torch.where(low_audio, level.detach(), level)
                change = (processor(level, **explored) - level) / gain
                fixed = change.detach()
                share = (controls[amount] / EXPLORED)[:, None, None].to(audio.dtype)
                return audio + torch.where(low_audio, share * fixed + (change - fixed), change)
        rendered = processor(level, **controls) if render is None else render(processor, level, **controls)
        for part, setting in PARTIAL_AMOUNTS.items() if self.training else ():
            if part in controls and bool((low := controls[part] < EXPLORED).any()):
                still = {key: value.detach() for key, value in controls.items()}
                still |= {part: torch.where(low, EXPLORED, still[part]), setting: controls[setting]}
                explored = processor(level.detach(), **still)
                rendered = rendered + torch.where(low[:, None, None], explored - explored.detach(), 0.0)
        return audio + (rendered - level) / gain
