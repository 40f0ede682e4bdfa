"""The LightningModule: any mastering model, any objective."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from neural_mastering import __version__
from neural_mastering.chance import seed_of
from neural_mastering.dsp.energy import energy_share
from neural_mastering.errors import InputError
from neural_mastering.losses import WeightedSum
from neural_mastering.models import CHECKPOINT_KEY, MasteringModel
from neural_mastering.output import MasteringOutput
from neural_mastering.training.style import styled
from neural_mastering.units import power_to_db

Batch = Mapping[str, Any]


class MasteringTask(pl.LightningModule):
    """Trains a model on batches of `input`, `target` (batch, channel, time) and `seed` (batch,).

    Logs `train/…` and `val/…`: every term by name, the objective (`train/loss` with the weights of the step,
    `val/loss` with full weights and only the terms that judge the sound), what the checkpoint is chosen by
    (`val/selection` and its terms), the same for the untouched input (`val/identity/…`), the gradient norm, open
    bands and the residual's share in dB.

    Args:
        model: the built model.
        objective: the built objective.
        optimizer: parameters → optimizer.
        scheduler: optimizer → learning-rate scheduler, stepped once an epoch.
        model_config: plain dictionaries that rebuild the model (`models.build.build`), kept in checkpoints.
        metric: what a plateau scheduler and sweeps watch, a `val/…` name.
        seed: of everything random in a training step.
        selection: scores validation for the choice of a checkpoint, all of its terms at full weight; without one
            there is no `val/selection`.

    Raises:
        InputError: a metric that is never logged.
    """

    def __init__(
        self,
        model: MasteringModel,
        objective: WeightedSum,
        optimizer: Callable[[Iterable[Any]], torch.optim.Optimizer],
        scheduler: Callable[[torch.optim.Optimizer], Any],
        model_config: Mapping[str, Any],
        metric: str = "val/loss",
        seed: int = 0,
        selection: WeightedSum | None = None,
    ) -> None:
        super().__init__()
        self.model, self.objective, self.selection = model, objective, selection
        self._optimizer, self._scheduler = optimizer, scheduler
        self._model_config, self._metric, self._seed = dict(model_config), metric, seed
        logged = [
            "val/loss",
            "val/open_bands",
            "val/residual_share_db",
            *(f"val/{n}" for n in objective.terms),
        ]
        if selection is not None:
            logged += ["val/selection", *(f"val/selection/{n}" for n in selection.terms)]
        if metric not in logged:
            raise InputError(f"metric={metric} is never logged; choose one of {', '.join(logged)}")
        self._sums: dict[str, Tensor] = {}
        self._identity_values: dict[int, dict[str, Tensor]] = {}

    def forward(self, audio: Tensor, seeds: Tensor | None = None) -> MasteringOutput:
        """Master audio (batch, channel, time)."""
        return self.model(audio, seeds)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Make whatever still draws from torch's generator (dropout) a function of seed, epoch and batch."""
        torch.manual_seed(seed_of(self._seed, self.current_epoch, batch_idx, self.global_rank))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """One step: the objective with the weights of this step."""
        style_db, target = styled(self.model, batch["target"], batch["seed"])
        output = self.model(batch["input"], batch["seed"], style_db)
        values = self.objective.values(output, target)
        loss = self.objective.total(values, self.global_step)
        size = len(batch["input"])
        terms = {f"train/{name}": value.detach() for name, value in values.items()}
        self.log_dict(terms, on_step=True, on_epoch=True, batch_size=size)
        self.log(
            "train/loss", loss, prog_bar=True, on_step=True, on_epoch=True, batch_size=len(batch["input"])
        )
        return loss

    def on_validation_epoch_start(self) -> None:
        """Start the sums over."""
        self._sums = {}

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Score the model, and the untouched input, on fixed segments."""
        size, target = len(batch["input"]), batch["target"]
        output = self.model(batch["input"])
        if batch_idx not in self._identity_values:
            self._identity_values[batch_idx] = self._scores(
                MasteringOutput.of_audio(batch["input"]), target, "val/identity/", controls=False
            )
        scores = self._scores(output, target, "val/") | self._identity_values[batch_idx]
        if output.gates is not None:
            scores["val/open_bands"] = output.gates.is_open.float().sum(dim=-1).mean()
        if output.residual is not None:
            share = energy_share(output.residual, output.audio).clamp(min=1e-12)
            scores["val/residual_share_db"] = power_to_db(share).mean()
        for name, value in scores.items():
            weighted = torch.stack(
                [value.detach().double() * size, value.new_tensor(size, dtype=torch.float64)]
            )
            self._sums[name] = self._sums[name] + weighted if name in self._sums else weighted

    def _scores(
        self, output: MasteringOutput, target: Tensor, prefix: str, controls: bool = True
    ) -> dict[str, Tensor]:
        """Terms and totals of objective and selection; those that judge controls only if there are any."""
        values = self.objective.values(output, target)
        scores = {
            prefix + name: value
            for name, value in values.items()
            if controls or not self.objective.is_regularizer(name)
        }
        scores[prefix + "loss"] = self.objective.audio_total(values)
        if self.selection is not None:
            chosen_by = self.selection.values(output, target)
            scores |= {f"{prefix}selection/{name}": value for name, value in chosen_by.items()}
            scores[prefix + "selection"] = self.selection.total(chosen_by)
        return scores

    def on_validation_epoch_end(self) -> None:
        """Log means over all segments of all processes.

        Lightning's own reduction divides the number of items by that of processes as integers, and is wrong
        where processes have different numbers of segments.
        """
        names = list(self._sums)
        sums = self.trainer.strategy.reduce(torch.stack([self._sums[n] for n in names]), reduce_op="sum")
        means = (sums[:, 0] / sums[:, 1]).float()
        self.log_dict(dict(zip(names, means, strict=True)), on_step=False, on_epoch=True)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Log the gradient's norm before clipping."""
        norms = [p.grad.detach().float().norm() for p in self.model.parameters() if p.grad is not None]
        if norms:
            self.log("train/gradient_norm", torch.stack(norms).norm())

    def configure_optimizers(self) -> Any:
        """Optimizer and scheduler from the factories given."""
        optimizer = self._optimizer(self.model.parameters())
        scheduler = self._scheduler(optimizer)
        settings: dict[str, Any] = {"scheduler": scheduler, "interval": "epoch"}
        if isinstance(scheduler, ReduceLROnPlateau):
            settings["monitor"] = self._metric
        return {"optimizer": optimizer, "lr_scheduler": settings}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the model's plain configuration beside its weights."""
        checkpoint[CHECKPOINT_KEY] = {"model": self._model_config, "version": __version__}
