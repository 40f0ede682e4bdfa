"""What each part of a model does: the model with one part taken out, or with another song's ear."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from neural_mastering.models import Analysis, MasteringModel
from neural_mastering.models.chain_heads import ChainControlValues, ChainHead
from neural_mastering.models.eq_heads import EqControls, EqHead, EqLogits
from neural_mastering.models.residual_heads import NoResidual
from neural_mastering.rendering.song import render_song
from neural_mastering.shapes import Audio, Logits

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
        render: (model, audio, own analysis, another song's analysis) → audio.
    """

    key: str
    render: Callable[[MasteringModel, Audio, Analysis, Analysis | None], Audio]


def ablations_of(model: MasteringModel, has_other: bool, is_bundle: bool = False) -> list[Ablation]:
    """Those that make sense for a model: of every part that it has.

    Args:
        model: the whole one.
        has_other: there is another song whose z can be borrowed.
        is_bundle: the model is followed only as far as it is trusted.
    """
    found = []
    if has_other:
        found.append(Ablation("shuffled_z", _with_other_ear))
    if is_bundle:
        found.append(Ablation("followed_fully", _followed_fully))
    if not isinstance(model.residual_head, NoResidual):
        found.append(Ablation(NO_RESIDUAL, _without_residual))
    if _has_gates(model):
        found.append(Ablation("gates_open", _with_open_gates))
    found.append(Ablation("no_eq", _muted("eq")))
    found.append(Ablation("no_gain", _muted("gain")))
    found += [Ablation(f"no_{stage}", _without_stage(stage)) for stage in grey_box_stages(model)]
    return found


def grey_box_stages(model: MasteringModel) -> list[str]:
    """Names of the stages around the residual, in the order of the signal."""
    chain = model.chain_head.chain
    return [*chain.before, *chain.after]


def without_residual(model: MasteringModel) -> MasteringModel:
    """The model without its neural residual; it shares all weights."""
    return _with_part(model, "residual_head", NoResidual())


def _with_other_ear(model: MasteringModel, audio: Audio, own: Analysis, other: Analysis | None) -> Audio:
    assert other is not None
    # The level is the song's own: a gain for another song's loudness would say nothing about listening.
    # How far the equaliser is followed belongs to what was heard.
    logits = model.eq_head(other.z, own.lufs)
    chain = model.chain_head(other.z)
    return render_song(
        model, audio, replace(own, z=other.z, logits=logits, chain=chain, eq_strength=other.eq_strength)
    )


def _followed_fully(model: MasteringModel, audio: Audio, own: Analysis, other: Analysis | None) -> Audio:
    return render_song(model, audio, replace(own, eq_strength=1.0))


def _without_residual(model: MasteringModel, audio: Audio, own: Analysis, other: Analysis | None) -> Audio:
    return render_song(without_residual(model), audio, own)


def _with_open_gates(model: MasteringModel, audio: Audio, own: Analysis, other: Analysis | None) -> Audio:
    gates = torch.full_like(own.logits.gates, _OPEN_LOGIT)
    return render_song(model, audio, replace(own, logits=replace(own.logits, gates=gates)))


def _muted(part: str) -> Callable[[MasteringModel, Audio, Analysis, Analysis | None], Audio]:
    def render(model: MasteringModel, audio: Audio, own: Analysis, other: Analysis | None) -> Audio:
        return render_song(_with_part(model, "eq_head", _MutedHead(model.eq_head, part)), audio, own)

    return render


def _without_stage(stage: str) -> Callable[[MasteringModel, Audio, Analysis, Analysis | None], Audio]:
    def render(model: MasteringModel, audio: Audio, own: Analysis, other: Analysis | None) -> Audio:
        resting = _RestingStage(model.chain_head, stage)
        return render_song(_with_part(model, "chain_head", resting), audio, own)

    return render


class _MutedHead(nn.Module):
    """An equaliser head whose bands, or whose gain, stay at 0 dB."""

    def __init__(self, head: EqHead, part: str) -> None:
        super().__init__()
        self.head, self.part = head, part
        self.eq, self.gain = head.eq, head.gain

    def decode(self, logits: EqLogits, seeds: None = None) -> EqControls:
        controls = self.head.decode(logits, seeds)
        return replace(controls, **{self.part: _silenced(getattr(controls, self.part))})


class _RestingStage(nn.Module):
    """A chain head of which one stage stays at rest, where it changes no bit."""

    def __init__(self, head: ChainHead, stage: str) -> None:
        super().__init__()
        self.head, self.resting, self.chain = head, stage, head.chain

    def decode(self, logits: Logits) -> ChainControlValues:
        controls = self.head.decode(logits)
        rest = self.chain.processors[self.resting].rest()
        return controls | {self.resting: {k: v.to(controls[self.resting][k]) for k, v in rest.items()}}


def _silenced(controls: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: torch.zeros_like(v) if key == "gain_db" else v for key, v in controls.items()}


def _with_part(model: MasteringModel, name: str, part: nn.Module) -> MasteringModel:
    """A copy that shares all weights but has another part."""
    changed = copy.copy(model)
    changed._modules = {**model._modules, name: part}
    return changed


def _has_gates(model: MasteringModel) -> bool:
    return any("gate" in name for name, _ in model.eq_head.named_parameters())
