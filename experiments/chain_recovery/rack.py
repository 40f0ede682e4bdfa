"""Stages in series on one excerpt, and the search for their settings."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.processors import Chain

RATE = 44_100
FRAME = RATE // 50


class Rack:
    """Stages in series on one excerpt, set by one vector of numbers that starts at rest."""

    def __init__(self, chain: Chain, audio: Tensor) -> None:
        self.chain, self.audio = chain, audio
        self.lufs = integrated_loudness(audio, RATE, floor_lufs=-70.0)
        stages = chain.processors.values()
        self.rest = torch.cat([stage.logits(stage.rest()).double() for stage in stages], dim=-1)
        speeds = [
            4.0 if s.reaches_ends else 1.0 for p in stages for s in p.specs.values() for _ in range(s.size)
        ]
        self.speeds = torch.tensor([speeds], dtype=torch.float64)
        self.counts = [stage.logit_count for stage in stages]

    def controls(self, moved: Tensor) -> dict[str, dict[str, Tensor]]:
        """Physical controls by stage."""
        parts = (self.rest + self.speeds * moved).split(self.counts, dim=-1)
        return {
            name: stage.controls(part)
            for (name, stage), part in zip(self.chain.processors.items(), parts, strict=True)
        }

    def render(self, controls: dict[str, dict[str, Tensor]]) -> Tensor:
        """The excerpt through all stages."""
        signal = self.audio
        for name, values in controls.items():
            signal = self.chain.stage(name, signal, values, self.lufs)
        return signal


def relative_error(audio: Tensor, target: Tensor) -> Callable[[Tensor], Tensor]:
    """Mean over frames of 20 ms of the error's power over that of the target.

    A plain squared error follows the loud passages only; the quiet ones separate idle gain from reduction.
    """
    least = 1e-5 * float(target.square().mean()) + 1e-14
    inside = torch.nn.functional.avg_pool1d(target.square().mean(dim=1, keepdim=True), FRAME) + least

    def error(output: Tensor) -> Tensor:
        difference = (output - target).square().mean(dim=1, keepdim=True)
        return (torch.nn.functional.avg_pool1d(difference, FRAME) / inside).mean()

    return error


def search(rack: Rack, error_of: Callable[[Tensor], Tensor], steps: int, refine: int) -> tuple[Tensor, float]:
    """Adam from rest, then L-BFGS from the best point.

    The valleys are narrow where controls stand in for one another.
    """
    moved = torch.zeros_like(rack.rest, requires_grad=True)
    best, loss_at_best = moved.detach().clone(), math.inf

    def loss_now() -> Tensor:
        nonlocal best, loss_at_best
        loss = error_of(rack.render(rack.controls(moved)))
        if float(loss.detach()) < loss_at_best:
            best, loss_at_best = moved.detach().clone(), float(loss.detach())
        return loss

    adam = torch.optim.Adam([moved], lr=0.1, betas=(0.9, 0.95))
    for step in range(steps):
        adam.param_groups[0]["lr"] = 0.05 * (1.0 + math.cos(math.pi * step / steps)) + 0.002
        loss = loss_now()
        adam.zero_grad()
        # decibels of the error: the steps stay useful when it is small
        torch.log(loss + 1e-9).backward()
        adam.step()
    with torch.no_grad():
        moved.copy_(best)
    newton = torch.optim.LBFGS(
        [moved],
        max_iter=refine,
        history_size=20,
        tolerance_grad=1e-12,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        newton.zero_grad()
        loss = torch.log(loss_now() + 1e-9)
        loss.backward()
        return loss

    if refine:
        newton.step(closure)
    return best, loss_at_best
