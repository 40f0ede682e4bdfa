"""Mastering models and their parts; needs neither Lightning nor Hydra."""

from neural_mastering.models.build import ConfigError, build
from neural_mastering.models.bundle import (
    Bundle,
    BundleError,
    bundled_models,
    default_model,
    find_bundle,
    load_bundle,
    read_bundle,
    write_bundle,
)
from neural_mastering.models.checkpoint import (
    CHECKPOINT_KEY,
    CheckpointError,
    find_checkpoint,
    load_model,
    model_state,
    read_checkpoint,
)
from neural_mastering.models.confidence import Confidence
from neural_mastering.models.mastering import Analysis, MasteringModel
from neural_mastering.models.warm_start import WarmStart, warm_start

__all__ = [
    "CHECKPOINT_KEY",
    "Analysis",
    "Bundle",
    "BundleError",
    "CheckpointError",
    "Confidence",
    "ConfigError",
    "MasteringModel",
    "WarmStart",
    "build",
    "bundled_models",
    "default_model",
    "find_bundle",
    "find_checkpoint",
    "load_bundle",
    "load_model",
    "model_state",
    "read_bundle",
    "read_checkpoint",
    "warm_start",
    "write_bundle",
]
