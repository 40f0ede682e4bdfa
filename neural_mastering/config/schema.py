"""What a composed training configuration must hold."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from neural_mastering.atomic import write_text
from neural_mastering.errors import InputError


@dataclass
class TrainConfig:
    """The top level of `conf/train.yaml`, with types; groups stay plain dictionaries."""

    seed: int = MISSING
    phase_name: str = MISSING
    sample_rate: int = MISSING
    z_size: int = MISSING
    run_dir: str = MISSING
    init_from: str | None = None
    resume: str | None = None
    metric: str = MISSING
    validation_table: bool = True
    model: dict[str, Any] = MISSING
    loss: dict[str, Any] = MISSING
    selection: dict[str, Any] | None = None  # null in older runs, which chose by val/loss
    data: dict[str, Any] = MISSING
    optimizer: dict[str, Any] = MISSING
    scheduler: dict[str, Any] = MISSING
    trainer: dict[str, Any] = MISSING
    logger: dict[str, Any] | None = None
    callbacks: dict[str, Any] | None = None
    learning: dict[str, Any] | None = (
        None  # of an engineer, without a network: see conf/experiment/engineer.yaml
    )


def validated(config: DictConfig) -> TrainConfig:
    """Resolve a composed configuration into plain values and check the types of its top level.

    Raises:
        InputError: a value of the wrong type, a missing one, or two that exclude each other.
    """
    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        merged = OmegaConf.merge(OmegaConf.structured(TrainConfig), OmegaConf.create(plain))  # type: ignore[arg-type]
        result = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        raise InputError(_first_line(error)) from error
    assert isinstance(result, TrainConfig)
    if result.sample_rate <= 0:
        raise InputError(f"sample_rate must be above 0 Hz, got {result.sample_rate}")
    return result


def freeze(config: DictConfig, file: Path) -> None:
    """Write the resolved configuration, so that the run can be rebuilt from it alone."""
    write_text(file, OmegaConf.to_yaml(config, resolve=True))


def make(node: dict[str, Any], **extra: Any) -> Any:
    """Instantiate a configuration node with plain containers (`_convert_: all`)."""
    return instantiate(node, _convert_="all", **extra)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    key = next((line.removeprefix("full_key: ") for line in lines if line.startswith("full_key: ")), "")
    if "Missing mandatory value" in lines[0]:
        return f"{key or lines[0]} must be given: add {key}=VALUE to the command"
    return f"{key}: {lines[0]}" if key else lines[0]
