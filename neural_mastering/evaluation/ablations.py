"""What each part of a model does: its controls with one part taken out, or with another song's z."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from neural_mastering.controls import Bands, scaled
from neural_mastering.controls.catalogue import stage_of_model
from neural_mastering.models import MasteringModel
from neural_mastering.models.residual_heads import NoResidual
from neural_mastering.rendering.tone.from_model import ModelTone, follow

NO_RESIDUAL = "no_residual"

ABLATION_NAMES = {
    "shuffled_z": "z of another song",
    "followed_fully": "equaliser followed fully",
    NO_RESIDUAL: "residual off",
    "gates_open": "all gates open",
    "no_eq": "equaliser off",
    "no_gain": "gain off",
}
"""How ablations are shown; those of further stages by their stage's name."""

_OPEN_LOGIT = 1e4


@dataclass(frozen=True)
class Ablation:
    """One change.

    Attributes:
        key: short name.
        edit: (what the model wants of this song, of another one) → what is rendered instead.
    """

    key: str
    edit: Callable[[ModelTone, ModelTone | None], ModelTone]


def ablations_of(model: MasteringModel, has_other: bool, is_bundle: bool = False) -> list[Ablation]:
    """Those that make sense for a model: of every part that it has.

    Args:
        model: the whole one.
        has_other: there is another song whose z can be borrowed.
        is_bundle: the model is followed only as far as its confidence allows.
    """
    found = []
    if has_other:
        found.append(Ablation("shuffled_z", _with_other_z))
    if is_bundle:
        found.append(Ablation("followed_fully", _followed_fully))
    if not isinstance(model.residual_head, NoResidual):
        found.append(Ablation(NO_RESIDUAL, _without_residual))
    if _has_gates(model):
        found.append(Ablation("gates_open", _with_open_gates))
    found.append(Ablation("no_eq", _without_eq))
    found.append(Ablation("no_gain", _without_gain))
    found += [Ablation(f"no_{stage}", _without_stage(stage)) for stage in grey_box_stages(model)]
    return found


def grey_box_stages(model: MasteringModel) -> list[str]:
    """Names of the stages around the residual, in the order of the signal."""
    chain = model.chain_head.chain
    return [*chain.before, *chain.after]


@torch.inference_mode()
def _with_other_z(own: ModelTone, other: ModelTone | None) -> ModelTone:
    assert other is not None
    # The level is the song's own: a gain for another song's loudness would say nothing about listening.
    # How far the equaliser is followed belongs to the z.
    analysis = own.model.decide(other.analysis.z, own.analysis.lufs)
    return follow(own.model, own.label, analysis, other.confidence)


def _followed_fully(own: ModelTone, other: ModelTone | None) -> ModelTone:
    assert own.confidence is not None
    return follow(own.model, own.label, own.analysis, replace(own.confidence, confidence=1.0))


def _without_residual(own: ModelTone, other: ModelTone | None) -> ModelTone:
    return replace(own, controls=replace(own.controls, residual=None))


def _with_open_gates(own: ModelTone, other: ModelTone | None) -> ModelTone:
    logits = own.analysis.logits
    open_logits = replace(logits, gates=torch.full_like(logits.gates, _OPEN_LOGIT))
    return follow(own.model, own.label, replace(own.analysis, logits=open_logits), own.confidence)


def _without_eq(own: ModelTone, other: ModelTone | None) -> ModelTone:
    return replace(own, controls=replace(own.controls, eq=Bands.of()))


def _without_gain(own: ModelTone, other: ModelTone | None) -> ModelTone:
    return replace(own, controls=scaled(own.controls, {"gain": 0.0}))


def _without_stage(stage: str) -> Callable[[ModelTone, ModelTone | None], ModelTone]:
    left_out = stage_of_model(stage).name

    def edit(own: ModelTone, other: ModelTone | None) -> ModelTone:
        stages = {name: values for name, values in own.controls.stages.items() if name != left_out}
        return replace(own, controls=replace(own.controls, stages=stages))

    return edit


def _has_gates(model: MasteringModel) -> bool:
    return model.eq_head.has_gates
