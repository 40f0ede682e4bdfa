"""A model in torch as a description that runs without it (`numeric.description`)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from neural_mastering.models.blocks.tcn_block import TCNBlock
from neural_mastering.models.chain_heads import NoChain
from neural_mastering.models.conditioning import NoConditioning
from neural_mastering.models.encoders import LogMel
from neural_mastering.models.eq_heads import AdaptiveBands, FixedBands
from neural_mastering.models.eq_heads.eq_head import LUFS_CENTRE, LUFS_SCALE
from neural_mastering.models.mastering import MasteringModel
from neural_mastering.models.residual_heads import NoResidual
from neural_mastering.numeric.description import Description, GateRule, Range
from neural_mastering.numeric.operations import Operation
from neural_mastering.processors.control import Control


def describe(model: MasteringModel) -> dict[str, Any] | None:
    """The description as JSON; None for a model with a part that has no operations of its own.

    Described are `LogMel` with `FixedBands` or `AdaptiveBands` and nothing behind them: no chain, no residual, no
    style. A branch whose weights are all 0 is a constant and written as one.
    """
    head, encoder = model.eq_head, model.encoder
    # exact classes: a subclass may compute something else
    known = type(encoder) is LogMel and type(head) in (FixedBands, AdaptiveBands)
    alone = type(model.chain_head) is NoChain and type(model.residual_head) is NoResidual
    if not (known and alone and type(model.conditioning) is NoConditioning):
        return None
    assert isinstance(encoder, LogMel)
    controls = [*head.eq.specs.values(), *head.gain.specs.values()]
    if any(control.reaches_ends for control in controls):
        return None
    steps = _Steps({id(module): name for name, module in model.named_modules()})
    z = _encoder(steps, encoder)
    trunk = z
    for layer in head.trunk:
        trunk = steps.layer(layer, trunk)
    eq = steps.linear(head.eq_logits, trunk)
    speed = head.speed.double().tolist()
    outputs = {"eq": steps.add("affine", (eq,), scale=speed, shift=[0.0] * len(speed))}
    level = steps.add("concat", (trunk, "level"))
    for layer in head.level:
        level = steps.layer(layer, level)
    outputs["gain"] = steps.linear(head.gain_logits, level)
    gates = None
    if isinstance(head, AdaptiveBands):
        outputs["gates"] = steps.linear(head.gate_logits, trunk)
        gates = GateRule(tuple(head.bound.double().tolist()), head.min_bands)
    return Description(
        features=encoder.spec,
        steps=tuple(steps.found),
        outputs=outputs,
        kinds=head.eq.kinds,
        eq=tuple(_range(control) for control in head.eq.specs.values()),
        gain=_range(next(iter(head.gain.specs.values()))),
        gates=gates,
        level=(LUFS_CENTRE, LUFS_SCALE),
        analysis_lufs=model.analysis_lufs,
        silence_lufs=model.silence_lufs,
    ).as_dict()


@dataclass
class _Steps:
    """Collects operations; `names` are those of the modules by their identity."""

    names: dict[int, str]
    found: list[Operation] = field(default_factory=list)

    def add(self, op: str, inputs: tuple[str, ...], module: nn.Module | None = None, **settings: Any) -> str:
        output = f"v{len(self.found)}"
        tensors = {}
        if module is not None:
            tensors = {role: f"{self.names[id(module)]}.{role}" for role in ("weight", "bias")}
        self.found.append(Operation(op, inputs, output, tensors, settings))
        return output

    def linear(self, layer: nn.Linear, value: str) -> str:
        return self.add("linear", (value,), layer)

    def layer(self, layer: nn.Module, value: str) -> str:
        """One of the layers of which heads are made."""
        if isinstance(layer, nn.Linear):
            return self.linear(layer, value)
        if isinstance(layer, nn.GELU):
            return self.add("gelu", (value,))
        assert isinstance(layer, nn.Dropout), f"no operation for {type(layer).__name__}"
        return value  # nothing in evaluation


def _encoder(steps: _Steps, encoder: LogMel) -> str:
    total = steps.linear(encoder.long_term, "long_term")
    normalise, pooled = encoder.pooled
    assert isinstance(normalise, nn.LayerNorm) and isinstance(pooled, nn.Linear)
    constant = _constant(normalise, pooled)
    if constant is None:
        frames = steps.add("conv1d", ("frames",), encoder.front, dilation=1)
        frames = steps.add("gelu", (frames,))
        for block in _blocks(encoder):
            branch = steps.add("layer_norm", (frames,), block.norm)
            branch = steps.add("conv1d", (branch,), block.dilated, dilation=block.dilated.dilation[0])
            branch = steps.add("gelu", (branch,))
            branch = steps.add("conv1d", (branch,), block.mix, dilation=1)
            frames = steps.add("add", (frames, branch))
        value = steps.add("mean_std", (frames,))
        value = steps.add("layer_norm", (value,), normalise)
        total = steps.add("add", (total, steps.linear(pooled, value)))
    elif any(constant):
        total = steps.add("affine", (total,), scale=[1.0] * len(constant), shift=constant)
    return steps.add("layer_norm", (total,), encoder.norm)


def _blocks(encoder: LogMel) -> Iterator[TCNBlock]:
    for block in encoder.blocks:
        assert isinstance(block, TCNBlock)
        yield block


def _constant(normalise: nn.LayerNorm, pooled: nn.Linear) -> list[float] | None:
    """What the stack adds to z where it is switched off by weights of 0; None where it is at work."""
    with torch.no_grad():
        if bool(normalise.weight.any()) and bool(pooled.weight.any()):
            return None
        return (pooled.weight.double() @ normalise.bias.double() + pooled.bias.double()).tolist()


def _range(control: Control) -> Range:
    low, high = control.ends()
    return Range(control.key, control.scale, low, high)
