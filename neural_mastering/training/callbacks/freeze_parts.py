"""Holds parts of the model still for their first epochs."""

from collections.abc import Mapping

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn


class FreezeParts(Callback):
    """Drops the gradients of named parts until a given epoch.

    Gradients are dropped before the optimiser sees them (None, so that weight decay and momentum leave the
    part alone too); unlike switching `requires_grad`, that keeps distributed training and resuming simple.

    Args:
        parts: part of the model, by its attribute path ("encoder", "eq_head.trunk") → number of epochs; −1
            for the whole run.

    Raises:
        ValueError: at the start of training, for a part that the model does not have.
    """

    def __init__(self, parts: Mapping[str, int] | None = None) -> None:
        self.parts = dict(parts or {})

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Check the names early."""
        for name in self.parts:
            self._part(pl_module, name)

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Drop the gradients of the parts that are frozen in this epoch."""
        for name, epochs in self.parts.items():
            if epochs < 0 or trainer.current_epoch < epochs:
                for parameter in self._part(pl_module, name).parameters():
                    parameter.grad = None

    @staticmethod
    def _part(task: pl.LightningModule, name: str) -> nn.Module:
        model = task.model
        assert isinstance(model, nn.Module)
        try:
            return model.get_submodule(name)
        except AttributeError as error:
            known = ", ".join(child for child, _ in model.named_children())
            raise ValueError(f"can't freeze {name!r}: the model has {known}") from error
