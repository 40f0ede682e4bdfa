"""`nm-train +experiment=engineer`: what nm-learn does, as a job of nm-train."""

from __future__ import annotations

import math
from pathlib import Path

from omegaconf import OmegaConf

from neural_mastering.cli.learn_output import print_learned
from neural_mastering.cli.progress import progress
from neural_mastering.config.learning import settings_of, training_folder
from neural_mastering.config.schema import TrainConfig, freeze
from neural_mastering.learning.job import learn_folder


def learn_from(config: TrainConfig) -> float:
    """Learn an engineer in the run's folder; returns the error on held-out songs in dB."""
    settings = settings_of(config.learning or {})
    folder = Path(config.run_dir)
    found = learn_folder([training_folder(config.data)], folder, settings, progress=progress)
    freeze(OmegaConf.structured(config), folder / "config.yaml")
    print_learned(found)
    return math.nan if found.validation is None else found.validation.learned.error_db
