"""Keeps a few fixed validation clips to listen to: before, after and target at one loudness."""

from pathlib import Path

import lightning.pytorch as pl
import soundfile
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.training.callbacks.validation_batches import validation_items
from neural_mastering.training.media import log_audio
from neural_mastering.training.task import MasteringTask
from neural_mastering.units import db_to_gain

LISTENING_LUFS = -23.0
PEAK_CEILING = 0.98


class Clips(Callback):
    """Writes level-matched before/after/target clips as 24-bit FLAC and shows them on the dashboards.

    All three of a clip get the same integrated loudness, lower than −23 LUFS only where a peak would clip, so
    that louder does not sound better.

    Args:
        dirpath: where the files go.
        every_n_epochs: how often, besides the end of training.
        count: number of clips, the first of the validation set.
    """

    def __init__(self, dirpath: str | Path, every_n_epochs: int = 25, count: int = 2) -> None:
        self.dirpath, self.every_n_epochs, self.count = Path(dirpath), every_n_epochs, count
        self._written_at = -1

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write in regular epochs."""
        if not trainer.sanity_checking and (trainer.current_epoch + 1) % self.every_n_epochs == 0:
            self._write(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the end result."""
        self._write(trainer, pl_module)

    @rank_zero_only
    def _write(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        assert isinstance(task, MasteringTask)
        if self._written_at == trainer.global_step:
            return
        self._written_at = trainer.global_step
        model, was_training = task.model, task.training
        model.eval()
        rate = round(model.sample_rate)
        self.dirpath.mkdir(parents=True, exist_ok=True)
        with torch.inference_mode():
            for index, item in enumerate(validation_items(trainer, self.count)):
                audio = torch.cat([item["input"], model(item["input"]).audio, item["target"]]).float()
                levelled = level_match(audio, model.sample_rate).cpu()
                for label, clip in zip(("1_before", "2_after", "3_target"), levelled, strict=True):
                    file = self.dirpath / f"clip{index}_{label}.flac"
                    soundfile.write(file, clip.T.numpy(), rate, subtype="PCM_24")
                    log_audio(trainer, f"clip{index}/{label}", clip, rate, file)
        model.train(was_training)


def level_match(audio: torch.Tensor, sample_rate: float) -> torch.Tensor:
    """Give all items (batch, channel, time) one loudness: −23 LUFS, or less where a peak would clip."""
    lufs = integrated_loudness(audio, sample_rate, floor_lufs=-70.0)
    matched = audio * db_to_gain(LISTENING_LUFS - lufs)[:, None, None]
    return matched * (PEAK_CEILING / matched.abs().max().clamp(min=PEAK_CEILING))
