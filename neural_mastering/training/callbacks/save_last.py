"""Keeps a checkpoint to go on from, and stops cleanly on Ctrl-C."""

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from neural_mastering.atomic import Draft, remove_drafts


def relocate(state: dict[str, Any], folder: Path) -> None:
    """Point the state of a ModelCheckpoint at another folder with the same files."""
    old = state["dirpath"]
    if old is None or Path(old) == folder:
        return

    def moved(path: Any) -> Any:
        return str(folder / Path(path).name) if path and Path(path).parent == Path(old) else path

    for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
        state[key] = moved(state.get(key, ""))
    state["best_k_models"] = {moved(path): score for path, score in state.get("best_k_models", {}).items()}
    state["dirpath"] = str(folder)


class SaveLast(Checkpoint):
    """Writes `last.ckpt` every `every_n_steps` steps, after each epoch, and when asked to stop.

    A checkpoint is whole or not there. The first Ctrl-C (or SIGTERM) lets the running step finish, saves, and
    raises KeyboardInterrupt; the second stops at once.
    """

    def __init__(self, dirpath: str | Path, every_n_steps: int = 50) -> None:
        super().__init__()
        if every_n_steps < 1:
            raise ValueError(f"every_n_steps must be at least 1, got {every_n_steps}")
        self.path = Path(dirpath) / "last.ckpt"
        self.every_n_steps = every_n_steps
        self._stop_asked = False
        self._previous_handlers: dict[int, Any] = {}
        self._saved_at = -1

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Let checkpoints of a run folder that was moved be where they are now.

        A ModelCheckpoint forgets its best score where the folder in its state is not its own, and would replace the
        best checkpoint by a worse one.
        """
        for state in checkpoint.get("callbacks", {}).values():
            if isinstance(state, dict) and "best_model_path" in state and "dirpath" in state:
                relocate(state, Path(self.path.parent))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen for signals (only possible in the main thread); remove what a killed run left half written."""
        if trainer.is_global_zero:
            remove_drafts(self.path.parent)
        self._stop_asked = False
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous_handlers[number] = signal.signal(number, self._ask_to_stop)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Give the signals back."""
        self._restore_handlers()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Give the signals back."""
        self._restore_handlers()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Stop between two steps, when the last one is saved and its metrics are logged."""
        if trainer.global_step == self._saved_at:
            self._stop_if_asked()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save in the middle of an epoch."""
        if self._stop_asked or trainer.global_step % self.every_n_steps == 0:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save after an epoch and its validation."""
        self._save(trainer)

    def _save(self, trainer: pl.Trainer) -> None:
        self._saved_at = trainer.global_step
        draft = Draft(self.path)
        file = Path(trainer.strategy.broadcast(str(draft.file)))  # all processes must name one file
        try:
            trainer.save_checkpoint(file)
            if trainer.is_global_zero:
                draft.commit()
        finally:
            if trainer.is_global_zero:
                draft.discard()
        trainer.strategy.barrier("SaveLast")

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._stop_asked:
            self._restore_handlers()
            raise KeyboardInterrupt
        self._stop_asked = True
        print(
            "\nStopping: this step will finish and be saved. Press Ctrl-C again to stop at once.", flush=True
        )

    def _stop_if_asked(self) -> None:
        if self._stop_asked:
            raise KeyboardInterrupt

    def _restore_handlers(self) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        self._previous_handlers.clear()
