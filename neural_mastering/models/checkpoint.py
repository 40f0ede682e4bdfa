"""A trained model from a run folder or a checkpoint, without Lightning or Hydra."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from neural_mastering.errors import InputError
from neural_mastering.models.build import ConfigError, build
from neural_mastering.models.bundle import find_bundle, load_bundle
from neural_mastering.models.mastering import MasteringModel

CHECKPOINT_KEY = "neural_mastering"
"""Where a checkpoint keeps the plain configuration that rebuilds its model."""

PREFIX = "model."


class CheckpointError(InputError):
    """A file that is no checkpoint of this package; the message says what was found."""


def find_checkpoint(path: str | Path) -> Path:
    """The checkpoint that a path means: itself, or best.ckpt, else last.ckpt, of a run folder.

    Raises:
        CheckpointError: nothing there.
    """
    path = Path(path)
    if path.is_file():
        return path
    candidates = [path / "checkpoints" / name for name in ("best.ckpt", "last.ckpt")]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    if path.is_dir():
        raise CheckpointError(f"{path} holds no checkpoint: expected {candidates[0]} or {candidates[1].name}")
    raise CheckpointError(f"{path} does not exist: give a run folder or a .ckpt file")


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The contents of a checkpoint, read without running any code that it might hold (`weights_only`).

    Raises:
        CheckpointError: not a checkpoint of this package.
    """
    file = find_checkpoint(path)
    try:
        contents = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types for a broken file
        raise CheckpointError(
            f"{file} could not be read as a checkpoint ({type(error).__name__}): it is damaged, or was not written "
            "by nm-train"
        ) from error
    if not isinstance(contents, dict) or CHECKPOINT_KEY not in contents or "state_dict" not in contents:
        raise CheckpointError(f"{file} was not written by nm-train: it has no {CHECKPOINT_KEY!r} entry")
    return contents


def model_state(contents: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The model's own tensors in a checkpoint, by their names in the model."""
    return {
        name.removeprefix(PREFIX): tensor
        for name, tensor in contents["state_dict"].items()
        if name.startswith(PREFIX)
    }


def read_weights(path: str | Path) -> tuple[Path, dict[str, torch.Tensor]]:
    """The file that a run folder, a checkpoint or a bundle means, and the tensors of the model in it.

    Raises:
        CheckpointError, BundleError: as `load_model`.
    """
    bundle = find_bundle(path)
    if bundle is not None:
        return bundle, load_bundle(bundle).state_dict()
    return find_checkpoint(path), model_state(read_checkpoint(path))


def load_model(path: str | Path, packages: Sequence[str] = ("neural_mastering",)) -> MasteringModel:
    """Rebuild a model from the configuration beside its weights, in evaluation mode.

    Args:
        path: a run folder (its best checkpoint, else the last), a .ckpt file, the .json file of a bundle, or the
            name of a bundled model.
        packages: whose parts may be built; add your own package if the model uses parts of it.

    Raises:
        CheckpointError: no such file, or not a checkpoint of this package.
        BundleError: a bundle whose files are damaged or don't belong together.

    Examples:
        The bundled model finds white noise too bright: low shelf up, high shelf down.

        >>> import torch
        >>> model = load_model("modest-eq-2")
        >>> model.sample_rate
        44100
        >>> noise = 0.1 * torch.randn(1, 2, 2 * 44_100, generator=torch.Generator().manual_seed(0))
        >>> with torch.inference_mode():
        ...     gain_db = model(noise).controls["eq"]["gain_db"][0]
        >>> bool(gain_db[0] > 1.0), bool(gain_db[-1] < -1.0)
        (True, True)
    """
    bundle = find_bundle(path)
    if bundle is not None:
        return load_bundle(bundle, tuple(packages))
    contents = read_checkpoint(path)
    try:
        model = build(contents[CHECKPOINT_KEY]["model"], packages=packages)
        model.load_state_dict(model_state(contents))
    except (ConfigError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not fit this version of the package: {error}") from error
    assert isinstance(model, MasteringModel)
    return model.eval()
