"""The base of all equaliser heads: z → controls of the equaliser and the broadband gain."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

import torch
from torch import Tensor, nn

from neural_mastering.output import Gates
from neural_mastering.processors import Gain, ParametricEQ
from neural_mastering.shapes import Bands, ItemSeeds, Latent, Logits, PerItem

LUFS_CENTRE, LUFS_SCALE = -23.0, 10.0
"""The gain head reads (LUFS − centre)/scale."""

LEVEL_SIZE = 32
"""Width of the hidden layer that joins the measured level to what z says."""

POSITION_SPEED = 0.3
"""Logits of frequency and Q are the network's numbers times this: bands take up gain before they wander, or two of
them would run to the same peak of the curve and leave another to nobody."""


@dataclass(frozen=True)
class EqLogits:
    """Network numbers before the mapping to physical units; averages of these over windows are meaningful."""

    eq: Logits
    gain: Logits
    gates: Logits

    def mean(self, weights: Tensor) -> "EqLogits":
        """Weighted mean over the batch (windows of one song), as a batch of one."""
        share = (weights / weights.sum())[:, None]
        return EqLogits(*((getattr(self, f.name) * share).sum(dim=0, keepdim=True) for f in fields(self)))

    @classmethod
    def concatenate(cls, parts: Sequence["EqLogits"]) -> "EqLogits":
        """Several predictions as one batch."""
        return cls(*(torch.cat([getattr(part, f.name) for part in parts]) for f in fields(cls)))


@dataclass(frozen=True)
class EqControls:
    """Physical controls: of the equaliser (closed bands at exactly 0 dB), of the gain, and the gates."""

    eq: dict[str, Tensor]
    gain: dict[str, Tensor]
    gates: Gates


class EqHead(nn.Module, ABC):
    """Predicts every band's frequency, gain and Q, and a broadband gain that also sees the measured LUFS.

    At initialisation all gains are 0 dB and the bands rest where `ParametricEQ.rest` puts them.

    Args:
        z_size: entries of the latent vector.
        eq: the equaliser whose controls are predicted.
        gain: the broadband gain.
        hidden_size: width of the two hidden layers.
        dropout: share of hidden units dropped in training.
    """

    has_gates: ClassVar[bool] = False
    """Whether bands switch themselves on and off."""

    speed: Tensor

    def __init__(self, z_size: int, eq: ParametricEQ, gain: Gain, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.eq, self.gain = eq, gain
        self.trunk = nn.Sequential(
            nn.Linear(z_size, hidden_size),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, hidden_size),
            nn.GELU(),
            nn.Dropout(dropout),
        )
        self.eq_logits = _zero_linear(hidden_size, eq.logit_count)
        speeds = [
            1.0 if key == "gain_db" else POSITION_SPEED for key, s in eq.specs.items() for _ in range(s.size)
        ]
        self.register_buffer("speed", torch.tensor(speeds), persistent=False)
        with torch.no_grad():
            self.eq_logits.bias.copy_(eq.logits(eq.rest())[0] / self.speed)
        # The gain in dB is linear in the measured level, but its logit is not: a hidden layer bends it.
        self.level = nn.Sequential(nn.Linear(hidden_size + 1, LEVEL_SIZE), nn.GELU())
        self.gain_logits = _zero_linear(LEVEL_SIZE, gain.logit_count)

    def forward(self, z: Latent, lufs: PerItem) -> EqLogits:
        """Predict logits from z (batch, z) and the integrated loudness of the input (batch,) in LUFS."""
        features = self.trunk(z)
        level = ((lufs - LUFS_CENTRE) / LUFS_SCALE).to(features.dtype)[:, None]
        return EqLogits(
            eq=self.eq_logits(features) * self.speed,
            gain=self.gain_logits(self.level(torch.cat([features, level], dim=-1))),
            gates=self._gate_logits(features),
        )

    def decode(self, logits: EqLogits, seeds: ItemSeeds | None = None) -> EqControls:
        """Map logits to physical units and close gates; `seeds` (batch,) fix the gates' training noise."""
        gates = self._gates(logits.gates.float(), seeds)
        eq = self.eq.controls(logits.eq)
        eq["gain_db"] = eq["gain_db"] * gates.values
        return EqControls(eq=eq, gain=self.gain.controls(logits.gain), gates=gates)

    def hold_open_at_most(self, steps: int) -> None:
        """Let gates be judged after so many training steps at the latest; nothing without gates."""
        del steps

    @abstractmethod
    def _gate_logits(self, features: Tensor) -> Logits: ...

    @abstractmethod
    def _gates(self, logits: Bands, seeds: ItemSeeds | None) -> Gates: ...


def _zero_linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
