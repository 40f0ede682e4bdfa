"""Reads validation segments outside of Lightning's loop."""

from collections.abc import Iterator
from typing import Any

import lightning.pytorch as pl
from torch.utils.data import default_collate


def validation_items(trainer: pl.Trainer, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """Items of the validation set as batches of one, on the model's device, in order."""
    dataset = trainer.datamodule.evaluation_dataset("validation")  # type: ignore[attr-defined]
    device = trainer.strategy.root_device
    for i in range(len(dataset) if limit is None else min(limit, len(dataset))):
        batch = default_collate([dataset[i]])
        yield {key: value.to(device) if hasattr(value, "to") else value for key, value in batch.items()}
