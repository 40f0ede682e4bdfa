"""Progress in the terminal: a bar where there is one, a line an epoch everywhere."""

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

NO_RESIDUAL_DB = -119.0
"""A share at or below this means that there is no residual to apply_words of."""


class Progress(Callback):
    """One line for each validation with the model's loss beside the identity's; a bar within the epoch."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._console = Console()
        self._bar: Bar | None = None
        self._validated = False
        self._task: TaskID | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the bar if this is a terminal."""
        if self.quiet or not trainer.is_global_zero or not self._console.is_terminal:
            return
        self._bar = Bar(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("loss {task.fields[loss]}"),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, epoch="", loss="–")
        self._bar.start()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the bar over."""
        if self._bar is not None and self._task is not None:
            epochs = trainer.max_epochs if trainer.max_epochs and trainer.max_epochs > 0 else "?"
            self._bar.reset(
                self._task,
                total=int(trainer.num_training_batches),
                epoch=f"{trainer.current_epoch + 1}/{epochs}",
            )

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Advance the bar."""
        if self._bar is not None and self._task is not None and batch_idx % 5 == 0:
            loss = trainer.callback_metrics.get("train/loss")
            self._bar.update(
                self._task, completed=batch_idx + 1, loss="–" if loss is None else f"{float(loss):.4f}"
            )

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remember that this epoch has something to say."""
        self._validated = trainer.global_step > 0
        if trainer.global_step == 0 and not trainer.sanity_checking:
            self._say(trainer, "start     ")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the epoch's line if there was a validation."""
        validated, self._validated = self._validated, False
        if validated:
            self._say(trainer, f"epoch {trainer.current_epoch + 1:>4}")

    def _say(self, trainer: pl.Trainer, when: str) -> None:
        if self.quiet or not trainer.is_global_zero:
            return
        values = trainer.callback_metrics
        line = f"{when}  step {trainer.global_step:>6}"
        selection = "val/selection" if "val/selection" in values else "val/loss"
        for label, name in (
            ("train", "train/loss_epoch"),
            ("val", selection),
            ("identity", selection.replace("val/", "val/identity/")),
            ("open bands", "val/open_bands"),
            ("residual dB", "val/residual_share_db"),
        ):
            if name in values and float(values[name]) > NO_RESIDUAL_DB:
                line += f"  {label} {float(values[name]):.4g}"
        self._console.print(line, highlight=False, soft_wrap=True)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Remove the bar."""
        self.teardown(trainer, pl_module, "fit")
