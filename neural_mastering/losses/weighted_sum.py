"""The objective: named terms, each with a weight that may be ramped up."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio


class WeightedTerm(nn.Module):
    """A loss term and its weight at each training step.

    weight(step) = weight · clamp((step − delay_steps)/ramp_steps, 0, 1); without a ramp it jumps after the delay.
    """

    def __init__(self, term: LossTerm, weight: float, delay_steps: int = 0, ramp_steps: int = 0) -> None:
        super().__init__()
        if weight < 0 or delay_steps < 0 or ramp_steps < 0:
            raise ValueError(
                "weight, delay_steps and ramp_steps must not be negative; got "
                f"{weight}, {delay_steps}, {ramp_steps}"
            )
        self.term, self.weight, self.delay_steps, self.ramp_steps = term, weight, delay_steps, ramp_steps

    def weight_at(self, step: int) -> float:
        """The weight at a training step."""
        if self.ramp_steps == 0:
            return self.weight if step >= self.delay_steps else 0.0
        return self.weight * min(max((step - self.delay_steps) / self.ramp_steps, 0.0), 1.0)


class WeightedSum(nn.Module):
    """Σ weight_i(step) · term_i(output, target).

    Args:
        terms: name → `WeightedTerm`; None leaves a term out (how YAML deletes one).

    Raises:
        ValueError: no term at all, or a name that a module can't have ("parameters", "a.b", "").
    """

    def __init__(self, terms: Mapping[str, WeightedTerm | None]) -> None:
        super().__init__()
        kept = {name: term for name, term in terms.items() if term is not None}
        if not kept:
            raise ValueError("the objective has no terms: give at least one loss term")
        try:
            self.terms = nn.ModuleDict(kept)
        except KeyError as error:
            raise ValueError(
                f"a loss term can't have this name: {error.args[0]}; choose another, such as 'controls'"
            ) from error

    def values(self, output: MasteringOutput, target: Audio) -> dict[str, Tensor]:
        """Each term's unweighted value, by name."""
        return {name: self._term(name).term(output, target) for name in self.terms}

    def total(self, values: Mapping[str, Tensor], step: int | None = None) -> Tensor:
        """Weighted sum of `values`; at full weights without a step (how validation scores)."""
        parts = []
        for name, value in values.items():
            term = self._term(name)
            weight = term.weight if step is None else term.weight_at(step)
            if weight > 0.0:  # 0 · nan would be nan
                parts.append(weight * value)
        return torch.stack(parts).sum() if parts else torch.zeros_like(next(iter(values.values())))

    def audio_total(self, values: Mapping[str, Tensor]) -> Tensor:
        """Weighted sum at full weights of the terms that judge the sound: the score of validation."""
        return self.total({n: v for n, v in values.items() if not self.is_regularizer(n)})

    def is_regularizer(self, name: str) -> bool:
        """Whether a term judges controls and not the sound."""
        return self._term(name).term.regularizer

    def sound_without_level(self) -> "WeightedSum":
        """The terms that judge the sound beside its level; all that judge the sound if there are no others."""
        sound = [name for name in self.terms if not self.is_regularizer(name)]
        kept = [name for name in sound if not self._term(name).term.level_only]
        return WeightedSum({name: self._term(name) for name in kept or sound})

    def shorten_ramps(self, delay_steps: int, ramp_steps: int) -> None:
        """Let no term wait longer, nor be ramped up over more steps, than this."""
        for name in self.terms:
            term = self._term(name)
            term.delay_steps, term.ramp_steps = (
                min(term.delay_steps, delay_steps),
                min(term.ramp_steps, ramp_steps),
            )

    def forward(self, output: MasteringOutput, target: Audio, step: int | None = None) -> Tensor:
        """The objective, a scalar."""
        return self.total(self.values(output, target), step)

    def _term(self, name: str) -> WeightedTerm:
        term = self.terms[name]
        assert isinstance(term, WeightedTerm)
        return term
