"""An equaliser head that learns which bands to switch on (phase 1C)."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from neural_mastering.chance import uniform
from neural_mastering.models.blocks import hard_concrete
from neural_mastering.models.eq_heads.eq_head import EqHead
from neural_mastering.output import Gates
from neural_mastering.processors import Gain, ParametricEQ
from neural_mastering.shapes import Bands, ItemSeeds, Logits


class AdaptiveBands(EqHead):
    """Hard-concrete gates choose `min_bands` to `max_bands` bands for each item.

    At evaluation a gate is 1 where its chance to be open is at least one half and 0 elsewhere, which removes
    its band exactly. The `min_bands` most probable gates of an item are held: where such a gate would be
    closed it is 1 all the same, so that fewer than `min_bands` can't happen. `losses.GateSparsity` puts a price
    on the expected number of open gates.

    How training finds the smallest set:
    - For its first `open_steps` steps all gates are 1, so that the bands find their places before any is
      judged. Thereafter gates are drawn, which tries out what a band is worth.
    - ln α stays within a bound (`hard_concrete.bounded`), so that a price is felt by every gate at any time.
    - Two neighbours that share one peak of the truth would share it for ever, since each half is worth its
      price. Every other band is therefore `second`: its bound is lower and its gate more often shut, which
      makes its share dear, and the gain moves over to the neighbour.
    - A held gate takes part in all this until it would be closed; only then is it 1 without noise, with the
      gradient of the noise-free gate.

    Args:
        max_bands: must equal `eq.bands`.
        min_bands: bands that are on in any case.
        initial_log_alpha: ln α of all gates at the start; 2 means open in 97 % of draws.
        first_bound, second_bound: largest |ln α| of the bands 0, 2, 4 … and 1, 3, 5 …; such a gate is exactly 1
            in 92 % (4) or 75 % (2.7) of draws.
        open_steps: training steps until gates are drawn.

    See `EqHead` for the others.
    """

    has_gates: ClassVar[bool] = True

    step: Tensor
    bound: Tensor

    def __init__(
        self,
        z_size: int,
        eq: ParametricEQ,
        gain: Gain,
        max_bands: int = 10,
        min_bands: int = 5,
        hidden_size: int = 256,
        dropout: float = 0.0,
        initial_log_alpha: float = 2.0,
        first_bound: float = 4.0,
        second_bound: float = 2.7,
        open_steps: int = 200,
    ) -> None:
        if eq.bands != max_bands:
            raise ValueError(f"max_bands is {max_bands} but the equaliser has {eq.bands} bands")
        if not 0 <= min_bands <= max_bands:
            raise ValueError(f"min_bands must lie between 0 and max_bands = {max_bands}, got {min_bands}")
        if min(first_bound, second_bound) <= 0:
            raise ValueError(f"the bounds of ln α must be above 0, got {first_bound} and {second_bound}")
        super().__init__(z_size, eq, gain, hidden_size, dropout)
        self.min_bands, self.open_steps = min_bands, open_steps
        self.gate_logits = nn.Linear(hidden_size, max_bands)
        nn.init.zeros_(self.gate_logits.weight)
        nn.init.constant_(self.gate_logits.bias, initial_log_alpha)
        bounds = [second_bound if band % 2 else first_bound for band in range(max_bands)]
        self.register_buffer("bound", torch.tensor(bounds), persistent=False)
        # Part of the state, so that a resumed run goes on where it was.
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def hold_open_at_most(self, steps: int) -> None:
        """Let the bands be judged after so many steps at the latest."""
        self.open_steps = min(self.open_steps, steps)

    def _gate_logits(self, features: Tensor) -> Logits:
        return self.gate_logits(features)

    def _gates(self, logits: Bands, seeds: ItemSeeds | None) -> Gates:
        log_alpha = hard_concrete.bounded(logits, self.bound)
        probability = hard_concrete.open_probability(log_alpha)
        held = torch.zeros_like(logits, dtype=torch.bool)
        held.scatter_(-1, log_alpha.detach().topk(self.min_bands, dim=-1).indices, True)
        if not self.training:
            return Gates(((probability >= 0.5) | held).to(logits), probability, held)
        mean = hard_concrete.mean_gate(log_alpha)
        kept = 1.0 + (mean - mean.detach())
        noise = torch.rand_like(logits) if seeds is None else uniform(seeds, logits.shape[-1])
        drawn = hard_concrete.sample(log_alpha, noise.clamp(1e-6, 1.0 - 1e-6))
        drawn = torch.where(held & (log_alpha < 0.0), kept, drawn)
        values = torch.where(self.step < self.open_steps, torch.ones_like(drawn), drawn)
        self.step += 1
        return Gates(values, probability, held)
