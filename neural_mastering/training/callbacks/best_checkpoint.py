"""Keeps the checkpoint that does best on songs held out, the start of the run among the candidates."""

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint


class BestCheckpoint(ModelCheckpoint):
    """A ModelCheckpoint that also validates before the first step.

    What a run starts from (the untouched input, or the model of `init_from`) stays the best checkpoint if training
    makes nothing better: a residual that learns its songs by heart is not chosen.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(save_on_train_epoch_end=False, **settings)
        self._last_global_step_saved = -1  # Lightning's 0 means that step 0 needs no checkpoint

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Validate, unless the run is resumed: then it has been done."""
        super().on_train_start(trainer, pl_module)
        if trainer.global_step > 0 or trainer.limit_val_batches == 0:
            return
        trainer.validating = True  # as Lightning's own loop does for a validation between two steps
        trainer.fit_loop.epoch_loop.val_loop.run()
        trainer.training = True
