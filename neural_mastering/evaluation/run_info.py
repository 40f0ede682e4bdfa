"""What a checkpoint and its run folder, or a bundle, say about a model: phase, configuration, training songs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from neural_mastering.data.splits import read_splits
from neural_mastering.models import (
    CHECKPOINT_KEY,
    Confidence,
    bundled_models,
    find_bundle,
    read_bundle,
    read_checkpoint,
)
from neural_mastering.models.checkpoint import CheckpointError, find_checkpoint


@dataclass(frozen=True)
class RunInfo:
    """A checkpoint and where it comes from.

    Attributes:
        checkpoint: the file; of a bundle its JSON.
        folder: its run folder; None where the checkpoint lies elsewhere.
        phase: as pictures are named: "1A", "1B", "1C", "2", or "custom".
        phase_name: as the run was named, such as "1c_demo".
        epoch, step: when the checkpoint was written.
        version: of the package that wrote it.
        model_config: plain dictionaries that rebuild the model.
        config: the run's whole configuration; empty where there is none.
        songs: split → song → group of the run's data; None where the run stored no `splits.json`.
        confidence: how far a bundle's moves are followed; None for a checkpoint.
        about: what a bundle says of its origin.
    """

    checkpoint: Path
    folder: Path | None
    phase: str
    phase_name: str
    epoch: int
    step: int
    version: str
    model_config: Mapping[str, Any]
    config: Mapping[str, Any] = field(default_factory=dict)
    songs: Mapping[str, Mapping[str, str]] | None = None
    confidence: Confidence | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_bundle(self) -> bool:
        """NAME.json with NAME.safetensors; it has no run folder, and a confidence."""
        return self.confidence is not None

    @property
    def name(self) -> str:
        """How the run is told apart from others: the folder's name, else the file's."""
        return self.folder.name if self.folder else self.checkpoint.stem

    @property
    def note(self) -> str:
        """Where the model comes from, in words without a path."""
        if self.confidence is not None:
            return f"bundle of version {self.version}, followed as far as it is trusted ({self.trusted})"
        where = f" of {self.folder.name}" if self.folder else ""
        return f"{self.checkpoint.name}{where}, epoch {self.epoch}, step {self.step}"

    @property
    def trusted(self) -> str:
        """A bundle's confidence in words."""
        kept = self.confidence or Confidence()
        return f"scale {kept.scale:g}, doubt {kept.doubt_db:g} dB"

    @property
    def learned_groups(self) -> Mapping[str, int]:
        """Group → number of songs that a bundle says it was trained on; empty where it says nothing."""
        songs = self.about.get("songs")
        train = songs.get("train") if isinstance(songs, Mapping) else None
        if not isinstance(train, Mapping):
            return {}
        return {str(name): int(count) for name, count in train.items() if isinstance(count, int)}

    @property
    def data(self) -> Mapping[str, Any]:
        """The `data` node of the configuration."""
        return self.config.get("data") or {}

    @property
    def data_root(self) -> str | None:
        """Folder of the pairs the run was trained on, where the configuration names one."""
        root = self.data.get("root")
        return None if root is None else str(root)

    @property
    def uses_demo(self) -> bool:
        """Trained on the bundled demo pairs."""
        return str(self.data.get("_target_", "")).endswith(".demo_data")


def read_run(path: str | Path) -> RunInfo:
    """Read a run folder, a checkpoint or a bundle.

    Args:
        path: these, NAME.json or NAME.safetensors of a bundle, or the name of a bundled model.

    Raises:
        BundleError: files that are no bundle.
        CheckpointError: nothing there, or not a checkpoint of this package.
        DataError: a damaged `splits.json`.
    """
    path = Path(path).expanduser()
    file = find_bundle(path)
    if file is not None:
        return _read_bundle(file)
    if not path.exists():
        known = ", ".join(bundled_models()) or "none in this version"
        raise CheckpointError(
            f"{path} does not exist: give a run folder, a .ckpt file, the .json file of a bundle, or the name of a "
            f"bundled model ({known})"
        )
    checkpoint = find_checkpoint(path).resolve()
    contents = read_checkpoint(checkpoint)
    stored = contents[CHECKPOINT_KEY]
    if not isinstance(stored, Mapping) or not isinstance(stored.get("model"), Mapping):
        raise CheckpointError(f"{checkpoint} holds no configuration of its model: train it again")
    folder = _run_folder(checkpoint)
    config = _config(folder)
    model = stored["model"]
    phase_name = str(config.get("phase_name") or _phase_of(model))
    songs = read_splits(folder) if folder and (folder / "splits.json").is_file() else None
    return RunInfo(
        checkpoint=checkpoint,
        folder=folder,
        phase=_phase(phase_name),
        phase_name=phase_name,
        epoch=int(contents.get("epoch", 0)),
        step=int(contents.get("global_step", 0)),
        version=str(stored.get("version", "unknown")),
        model_config=model,
        config=config,
        songs=songs,
    )


def _read_bundle(file: Path) -> RunInfo:
    bundle = read_bundle(file.resolve())
    phase_name = _phase_of(bundle.model)
    return RunInfo(
        checkpoint=bundle.path,
        folder=None,
        phase=_phase(phase_name),
        phase_name=phase_name,
        epoch=0,
        step=0,
        version=bundle.version,
        model_config=bundle.model,
        confidence=bundle.confidence,
        about=bundle.about,
    )


def _run_folder(checkpoint: Path) -> Path | None:
    for folder in (checkpoint.parent.parent, checkpoint.parent):
        if (folder / "config.yaml").is_file():
            return folder
    return None


def _config(folder: Path | None) -> dict[str, Any]:
    if folder is None:
        return {}
    try:
        content = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise CheckpointError(f"{folder / 'config.yaml'} can't be read: {error}") from error
    return content if isinstance(content, dict) else {}


def _phase(name: str) -> str:
    found = re.match(r"(\d[a-z]?)(?![a-z0-9])", name.lower())
    return found[1].upper() if found else "custom"


def _phase_of(model: Mapping[str, Any]) -> str:
    """The phase that a model's parts amount to."""

    def part(name: str) -> str:
        return str((model.get(name) or {}).get("_target_", "")).rpartition(".")[2]

    if part("chain_head") not in ("", "NoChain"):
        return "2"
    if part("eq_head") == "AdaptiveBands":
        return "1c"
    return "1a" if part("residual_head") == "NoResidual" else "1b"
