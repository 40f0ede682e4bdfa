"""Makes the schedule of the gates (phase 1C) fit into a short run."""

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from neural_mastering.losses import WeightedSum
from neural_mastering.models import MasteringModel


class GateSchedule(Callback):
    """Shortens what is stated in steps to shares of the whole run, where these are shorter.

    The gates are held open, and prices wait, for `open_share` of all steps at most; a price is ramped up over
    `ramp_share` at most. So on 20 pairs, in about 300 steps, the bands are judged for most of the run instead of at
    its end. Longer runs keep the steps of their configuration.

    Args:
        open_share: of all steps.
        ramp_share: of all steps.
    """

    def __init__(self, open_share: float = 0.3, ramp_share: float = 0.15) -> None:
        self.open_share, self.ramp_share = open_share, ramp_share

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Set the steps; the same for a run that is resumed.

        Not earlier: asking for the number of steps makes the data loaders, and before a checkpoint's loops are
        restored that would lose the place in the epoch.
        """
        model, objective = pl_module.model, pl_module.objective
        assert isinstance(model, MasteringModel) and isinstance(objective, WeightedSum)
        total = trainer.estimated_stepping_batches
        if total == float("inf"):
            return
        opened, ramp = round(self.open_share * total), max(round(self.ramp_share * total), 1)
        model.eq_head.hold_open_at_most(opened)
        objective.shorten_ramps(opened, ramp)
