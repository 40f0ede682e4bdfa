"""Processors in series: the rack between the equaliser and the neural residual, and what stands behind that."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from neural_mastering.controls.catalogue import find_stage_of_model
from neural_mastering.dsp.reference_level import REFERENCE_DBFS
from neural_mastering.processors.processor import Processor
from neural_mastering.shapes import Audio, PerItem
from neural_mastering.units import db_to_gain

EXPLORED = 0.1
"""In training, settings of a stage whose amount is below this learn as if it were this."""


class Chain(nn.Module):
    """Stages in series; `order` says which take part and in what order.

    A stage that hears levels gets its input at a loudness of `REFERENCE_DBFS`, whatever reference it has itself, so
    its thresholds and drives are relative to the loudness of the song: y = x + (stage(g·x) − g·x)/g. A stage at
    rest changes no bit.

    Args:
        stages: processors by name; the name is the key of its controls.
        order: names in the order of the signal; a stage that is not named is left out. All of them by default.
        after_residual: names of the stages that stand behind the neural residual, which the catalogue says
            (`controls.catalogue`); older configurations name them, too, and must agree.

    Raises:
        ValueError: a name that is no stage, or is there twice; a place that the catalogue does not give the stage.
    """

    def __init__(
        self,
        stages: Mapping[str, Processor] | None = None,
        order: Sequence[str] | None = None,
        after_residual: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        known = stages or {}
        order = list(known) if order is None else list(order)
        for name in (*order, *(after_residual or ())):
            if name not in known:
                raise ValueError(f"the chain has no stage {name!r}: expected {', '.join(known) or 'none'}")
        if len(set(order)) < len(order):
            raise ValueError(f"a stage stands twice in the order {order}: name each once")
        self.processors: dict[str, Processor] = {name: known[name] for name in order}
        self.stages = nn.ModuleDict(self.processors)
        self._specs = {name: find_stage_of_model(known[name].name) for name in order}
        self.after_residual = tuple(
            name for name, spec in self._specs.items() if spec is not None and spec.is_after_residual
        )
        if after_residual is not None and {*after_residual} & {*order} != {*self.after_residual}:
            raise ValueError(
                f"after_residual names {', '.join(after_residual) or 'no stage'}, but behind the residual stand "
                f"{', '.join(self.after_residual) or 'none'}: leave after_residual out"
            )

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
    ) -> Audio:
        """One stage on audio (batch, channel, time) whose loudness is `lufs` (batch,).

        While a stage's amount is below `EXPLORED` its output is exactly that of the amount, but in training its
        other controls get the gradient that they would have at `EXPLORED`: they look for settings at which the
        stage would help, and the amount's gradient says when it does. Without this a stage that starts badly stays
        off for ever.
        """
        processor, spec = self.processors[name], self._specs[name]
        gain = (
            db_to_gain(REFERENCE_DBFS - lufs)[:, None, None].to(audio.dtype) if processor.hears_level else 1.0
        )
        level = audio * gain
        amount = "" if spec is None else spec.amount
        if self.training and amount in controls:
            low = controls[amount] < EXPLORED
            if bool(low.any()):
                explored = {**controls, amount: torch.where(low, EXPLORED, controls[amount])}
                low_audio = low[:, None, None]
                level = torch.where(low_audio, level.detach(), level)
                change = (processor(level, **explored) - level) / gain
                fixed = change.detach()
                share = (controls[amount] / EXPLORED)[:, None, None].to(audio.dtype)
                return audio + torch.where(low_audio, share * fixed + (change - fixed), change)
        rendered = processor(level, **controls)
        partial_amounts = {} if spec is None or not self.training else spec.partial_amounts
        for part, setting in partial_amounts.items():
            if part in controls and bool((low := controls[part] < EXPLORED).any()):
                still = {key: value.detach() for key, value in controls.items()}
                still |= {part: torch.where(low, EXPLORED, still[part]), setting: controls[setting]}
                explored = processor(level.detach(), **still)
                rendered = rendered + torch.where(low[:, None, None], explored - explored.detach(), 0.0)
        return audio + (rendered - level) / gain
