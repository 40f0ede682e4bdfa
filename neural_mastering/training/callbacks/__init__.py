"""What happens around training, one noun a file."""

from neural_mastering.training.callbacks.best_checkpoint import BestCheckpoint
from neural_mastering.training.callbacks.clips import Clips
from neural_mastering.training.callbacks.freeze_parts import FreezeParts
from neural_mastering.training.callbacks.gate_schedule import GateSchedule
from neural_mastering.training.callbacks.pictures import Pictures
from neural_mastering.training.callbacks.progress import Progress
from neural_mastering.training.callbacks.save_last import SaveLast

__all__ = ["BestCheckpoint", "Clips", "FreezeParts", "GateSchedule", "Pictures", "Progress", "SaveLast"]
