"""Hands pictures and sounds to whatever logger is there."""

from pathlib import Path

import lightning.pytorch as pl
import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from neural_mastering.atomic import replacing


def log_figure(trainer: pl.Trainer, name: str, figure: Figure, file: Path) -> None:
    """Write a figure as a PNG file and show it on the dashboards."""
    with replacing(file) as draft:
        figure.savefig(draft, dpi=120, format="png")
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            logger.log_image(name, [str(file)], step=trainer.global_step)
        elif isinstance(logger, TensorBoardLogger):
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            pixels = np.asarray(canvas.buffer_rgba())[..., :3]
            logger.experiment.add_image(name, pixels, trainer.global_step, dataformats="HWC")


def log_audio(trainer: pl.Trainer, name: str, audio: Tensor, sample_rate: int, file: Path) -> None:
    """Show a sound (channel, time) on the dashboards; `file` is where it has been written."""
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            logger.log_audio(name, [str(file)], step=trainer.global_step)
        elif isinstance(logger, TensorBoardLogger):
            # TensorBoard plays mono only: the mid signal.
            logger.experiment.add_audio(
                name, audio.mean(dim=0, keepdim=True), trainer.global_step, sample_rate
            )
