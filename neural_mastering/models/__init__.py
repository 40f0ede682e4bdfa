"""Mastering models and their parts; needs neither Lightning nor Hydra."""

from neural_mastering.models.build import ConfigError, build
from neural_mastering.models.checkpoint import (
    CHECKPOINT_KEY,
    CheckpointError,
    find_checkpoint,
    load_model,
    model_state,
    read_checkpoint,
)
from neural_mastering.models.mastering import Analysis, MasteringModel
from neural_mastering.models.warm_start import WarmStart, warm_start

__all__ = [
    "CHECKPOINT_KEY",
    "Analysis",
    "CheckpointError",
    "ConfigError",
    "MasteringModel",
    "WarmStart",
    "build",
    "find_checkpoint",
    "load_model",
    "model_state",
    "read_checkpoint",
    "warm_start",
]
