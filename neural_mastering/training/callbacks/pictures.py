"""Draws what the equaliser does to the validation songs."""

from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from neural_mastering.dsp.ltas import interpolate_third_octaves, third_octave_levels_db
from neural_mastering.reporting.eq_plot import eq_curves, open_bands
from neural_mastering.training.callbacks.validation_batches import validation_items
from neural_mastering.training.media import log_figure
from neural_mastering.training.task import MasteringTask


class Pictures(Callback):
    """EQ curves and open bands over the validation set, as PNG files and on the dashboards.

    Args:
        dirpath: where the files go.
        every_n_epochs: how often, besides the end of training.
        name: prefix of the files, such as the phase.
        max_segments: how many validation segments to draw.
    """

    def __init__(
        self, dirpath: str | Path, every_n_epochs: int = 5, name: str = "phase", max_segments: int = 64
    ) -> None:
        self.dirpath, self.every_n_epochs = Path(dirpath), every_n_epochs
        self.name, self.max_segments = name, max_segments
        self._drawn_at = -1

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw in regular epochs."""
        if not trainer.sanity_checking and (trainer.current_epoch + 1) % self.every_n_epochs == 0:
            self._draw(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw the end result."""
        self._draw(trainer, pl_module)

    @rank_zero_only
    def _draw(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        assert isinstance(task, MasteringTask)
        if self._drawn_at == trainer.global_step:
            return
        self._drawn_at = trainer.global_step
        model, was_training = task.model, task.training
        model.eval()
        at_hz = torch.logspace(1.3010, 4.3010, 256)
        curves, differences, gates = [], [], []
        with torch.inference_mode():
            for item in validation_items(trainer, self.max_segments):
                analysis = model.analyse(item["input"])
                controls = model.eq_head.decode(analysis.logits)
                curves.append(
                    model.eq_head.eq.response_db(at_hz.to(item["input"].device), **controls.eq)[0].cpu()
                )
                gates.append(controls.gates.is_open[0].cpu())
                levels = [
                    third_octave_levels_db(item[k], model.sample_rate)[0].cpu() for k in ("target", "input")
                ]
                differences.append(levels[0] - levels[1])
        model.train(was_training)
        if not curves:
            return
        difference = torch.stack(differences)
        difference = difference - difference.mean(dim=1, keepdim=True)
        stacked = torch.stack(curves)
        wanted = interpolate_third_octaves(difference.mean(dim=0), at_hz)
        offset = (stacked.mean(dim=0) - wanted).mean()  # the broadband gain is another stage's business
        figure = eq_curves(
            at_hz.numpy(),
            stacked.numpy(),
            f"{self.name}: equaliser after step {trainer.global_step}",
            (wanted + offset).numpy(),
            "segments",
        )
        log_figure(trainer, "eq/curve", figure, self.dirpath / f"{self.name}_eq_curve.png")
        is_open = torch.stack(gates)
        eq = model.eq_head.eq
        frequency = eq.controls(torch.zeros(1, eq.logit_count))["frequency_hz"][0]
        labels = [
            kind.replace("_", " ") if kind != "peak" else f"{hz:.0f} Hz"
            for kind, hz in zip(eq.kinds, frequency.tolist(), strict=True)
        ]
        figure = open_bands(
            is_open.float().mean(dim=0).numpy(), labels, is_open.sum(dim=1).tolist(), self.name
        )
        log_figure(trainer, "eq/open_bands", figure, self.dirpath / f"{self.name}_bands.png")
