"""Freezing, level matching, and the objective's schedule."""

from types import SimpleNamespace
from typing import Any, cast

import lightning.pytorch as pl
import pytest
import torch
from torch import nn

from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import make, validated
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.training.callbacks import FreezeParts, GateSchedule, SaveLast
from neural_mastering.training.callbacks.clips import LISTENING_LUFS, level_match


class _Task(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.ModuleDict({"encoder": nn.Linear(3, 3), "head": nn.Linear(3, 1)})


def _step(task: _Task, callback: FreezeParts, epoch: int, optimizer: torch.optim.Optimizer) -> None:
    model = cast(Any, task.model)
    model["head"](model["encoder"](torch.ones(2, 3))).sum().backward()
    callback.on_before_optimizer_step(cast(Any, SimpleNamespace(current_epoch=epoch)), task, optimizer)
    optimizer.step()
    optimizer.zero_grad()


def test_a_frozen_part_stays_bit_exact_until_its_epoch() -> None:
    task, callback = _Task(), FreezeParts({"encoder": 2})
    optimizer = torch.optim.AdamW(task.parameters(), lr=0.1, weight_decay=0.5)
    encoder, head = (cast(nn.Linear, cast(Any, task.model)[name]) for name in ("encoder", "head"))
    start, head_start = encoder.weight.detach().clone(), head.weight.detach().clone()
    for epoch in (0, 1):
        _step(task, callback, epoch, optimizer)
    assert torch.equal(encoder.weight, start) and not torch.equal(head.weight, head_start)
    _step(task, callback, 2, optimizer)
    assert not torch.equal(encoder.weight, start)


def test_freezing_an_unknown_part_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="the model has encoder, head"):
        FreezeParts({"decoder": 1}).on_fit_start(cast(Any, None), _Task())


def test_clips_are_at_one_loudness() -> None:
    rate = 44_100
    audio = torch.randn(3, 2, 2 * rate) * torch.tensor([0.01, 0.05, 0.2])[:, None, None]
    lufs = integrated_loudness(level_match(audio, rate), rate)
    torch.testing.assert_close(lufs, torch.full((3,), LISTENING_LUFS), atol=0.01, rtol=0)


def test_peaky_clips_stay_at_one_loudness_without_clipping() -> None:
    rate = 44_100
    audio = torch.full((2, 2, rate), 1e-4)
    audio[0, :, ::4410] = 0.5
    audio[1] = 0.05 * torch.randn(2, rate)
    matched = level_match(audio, rate)
    lufs = integrated_loudness(matched, rate)
    assert float(matched.abs().max()) <= 0.98 + 1e-6
    assert abs(float(lufs[0] - lufs[1])) < 0.01


def test_save_last_wants_a_positive_interval() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        SaveLast("somewhere", every_n_steps=0)


@pytest.mark.parametrize(("total", "opened", "delay", "ramp"), [(300, 90, 90, 45), (10_000, 200, 200, 100)])
def test_gates_of_a_short_run_are_judged_for_most_of_it(
    total: int, opened: int, delay: int, ramp: int
) -> None:
    config = validated(compose(["+phase=1c"]))
    task = cast(Any, SimpleNamespace(model=build_model(config.model), objective=make(config.loss)))
    GateSchedule().on_train_start(cast(Any, SimpleNamespace(estimated_stepping_batches=total)), task)
    price = task.objective.terms["gates"]
    assert task.model.eq_head.open_steps == opened
    assert (price.delay_steps, price.ramp_steps) == (delay, ramp)
    assert price.weight_at(total) == price.weight
